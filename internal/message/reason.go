package message

// Reason explains an end that WhatsApp had no part in, to whoever gets its code.
type Reason struct {
	Code        int
	Title       string
	Explanation string // in plain words
	Action      string // what the sender can do
}

// Codes of failures that are not Meta's. They lie far from any of Meta's own.
const (
	CodeCancelled = 9_000_001
	CodeExpired   = 9_000_002
)

var reasons = []Reason{
	{CodeCancelled, "Message cancelled before it was handed to WhatsApp.",
		"Its sender took the message back while it was waiting.", "Nothing; it was not sent and will not be."},
	{CodeExpired, "Message validity period is over, dropping message.",
		"The message could not be handed to WhatsApp while it was valid.", "Send it again if it still matters; the details hold what stood in the way."},
}

// Reasons lists them in order of code.
func Reasons() []Reason { return append([]Reason(nil), reasons...) }

// ReasonOf returns the reason with a code.
func ReasonOf(code int) (Reason, bool) {
	for _, r := range reasons {
		if r.Code == code {
			return r, true
		}
	}
	return Reason{}, false
}

// Because returns the failure that reports a reason.
func Because(code int, details string) Failure {
	r, _ := ReasonOf(code)
	return Failure{Code: code, Title: r.Title, Message: r.Title, Details: details}
}

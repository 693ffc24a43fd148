package sim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Limits of setting numbers up. Meta documents the first two; how often a PIN may be guessed it does not say.
const (
	registrations      = 10 // calls of register and deregister a number may get
	registrationWindow = 72 * time.Hour
	pinGuesses         = 5 // wrong ones before the number is locked
	pinLock            = 12 * time.Hour
	codeLife           = 10 * time.Minute
	numbersPerAccount  = 20
)

// setup is how far a number has come, and what was tried.
type setup struct {
	code      string // last verification code sent; "" is none
	method    string // SMS or VOICE
	codeUntil int64
	codes     uint64 // sent, ever
	calls     []int64
	guesses   int // wrong PINs in a row
	locked    int64
	region    string         // of local storage
	profile   map[string]any // business profile
	calling   map[string]any // settings of calls
}

// verification is code_verification_status.
func (n *number) verification() string {
	if n.Verification == "" {
		return "VERIFIED"
	}
	return n.Verification
}

// addNumber is POST /{waba}/phone_numbers: a number that has still to be verified and registered. With
// migrate_phone_number it is taken out of the account it is in, with its PIN.
func addNumber(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	cc, _ := c.params.String("cc")
	local, _ := c.params.String("phone_number")
	name, _ := c.params.String("verified_name")
	digits := digitsOnly(cc) + digitsOnly(local)
	switch {
	case digitsOnly(cc) == "" || digitsOnly(local) == "":
		return nil, graph.Param("The parameters cc and phone_number are required.")
	case len(digits) < 7 || len(digits) > 15:
		return nil, graph.Param("Param phone_number is not a valid phone number.")
	case utf8.RuneCountInString(name) < 2 || utf8.RuneCountInString(name) > 75:
		return nil, graph.Param("Param verified_name must be 2 to 75 characters long.")
	case c.account.bars(noNumbers, c.now):
		return nil, graph.Fail(368, "The account is restricted from adding phone numbers for now.")
	case len(c.account.numbers) >= numbersPerAccount:
		return nil, &graph.Error{HTTP: http.StatusBadRequest, Code: 100, Message: "Invalid parameter", UserTitle: "Too many phone numbers",
			UserMsg: fmt.Sprintf("The business has %d phone numbers, as many as it may.", numbersPerAccount)}
	}
	added := Number{Phone: "+" + digits, VerifiedName: name, Status: "PENDING", Quality: "UNKNOWN", Tier: "TIER_250",
		Verification: "NOT_VERIFIED", NameStatus: "PENDING_REVIEW"}
	if old := s.st.numberOf(digits); old != nil {
		migrate, _ := c.params.String("migrate_phone_number")
		if migrate != "true" || old.account == c.account {
			return nil, &graph.Error{HTTP: http.StatusBadRequest, Code: 100, Subcode: 2388012, Message: "Invalid parameter",
				UserTitle: "Phone number in use", UserMsg: "This phone number already belongs to a WhatsApp Business Account."}
		}
		added.PIN, added.Tier, added.Quality = old.PIN, old.Tier, old.Quality
		old.Status = "MIGRATED"
	}
	return object{"id": s.st.addNumber(c.account, added).ID}, nil
}

// numberOf finds a number that is in use, by its digits.
func (st *state) numberOf(digits string) *number {
	for _, a := range st.order {
		for _, n := range a.numbers {
			if n.digits == digits && n.Status != "MIGRATED" {
				return n
			}
		}
	}
	return nil
}

// addNumber puts a number into an account. Its id depends on the account and the number alone unless that id is taken.
func (st *state) addNumber(a *account, n Number) *number {
	for i := uint64(0); n.ID == "" || st.numbers[n.ID] != nil || st.accounts[n.ID] != nil; i++ {
		n.ID = strconv.FormatUint(1_100_000_000_000_000+(hash64(a.ID, n.Phone)+i)%90_000_000_000_000, 10)
	}
	p := &number{Number: n, account: a, digits: digitsOnly(n.Phone), threads: map[string]*thread{}}
	p.defaults()
	a.numbers = append(a.numbers, p)
	st.numbers[n.ID] = p
	return p
}

// requestCode sends a verification code, by text message or call, which the control API shows.
func requestCode(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	method, _ := c.params.String("code_method")
	language, _ := c.params.String("language")
	switch {
	case method != "SMS" && method != "VOICE":
		return nil, graph.Param("Param code_method must be one of {SMS, VOICE} - got %q.", method)
	case language == "":
		return nil, graph.Param("The parameter language is required.")
	case c.number.verification() == "VERIFIED":
		return nil, graph.Fail(136025, "The phone number is verified already.")
	}
	s.sendCode(c.number, method)
	return success, nil
}

func (s *Sim) sendCode(n *number, method string) {
	n.setup.codes++
	n.setup.code = fmt.Sprintf("%06d", hash64(n.ID, strconv.FormatUint(n.setup.codes, 10))%1_000_000)
	n.setup.method, n.setup.codeUntil = method, s.now().Add(codeLife).UnixNano()
}

// verifyCode proves that the business has the number.
func verifyCode(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	code, _ := c.params.String("code")
	if problem := c.number.verify(code, c.now); problem != "" {
		return nil, graph.Fail(136024, problem)
	}
	return success, nil
}

func (n *number) verify(code string, now int64) (problem string) {
	switch {
	case n.setup.code == "":
		return "No code was requested for the phone number."
	case now >= n.setup.codeUntil:
		return "The code has expired. Request a new one."
	case strings.ReplaceAll(code, "-", "") != n.setup.code:
		return "The code is not the one that was sent."
	}
	n.setup.code, n.Verification = "", "VERIFIED"
	return ""
}

// register lets a verified number send through the Cloud API.
func register(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	n := c.number
	pin, _ := c.params.String("pin")
	region, _ := c.params.String("data_localization_region")
	product, _ := c.params.String("messaging_product")
	switch {
	case product != "whatsapp":
		return nil, graph.Param("The parameter messaging_product is required.")
	case !isPIN(pin):
		return nil, graph.Param("Param pin must be 6 characters long.")
	case region != "" && !strings.Contains(" AU ID IN JP SG KR DE CH GB BR BH ZA AE CA ", " "+region+" "):
		return nil, graph.Param("Param data_localization_region is not a country of Cloud API local storage.")
	case n.Throughput == ThroughputCoexistence:
		return nil, graph.Param("A number of the WhatsApp Business app is registered already.")
	case n.verification() != "VERIFIED":
		return nil, graph.Fail(133006, "Verify the phone number before registering it.")
	}
	if err := n.mayRegister(c.now); err != nil {
		return nil, err
	}
	if err := n.checkPIN(pin, c.now); err != nil {
		return nil, err
	}
	first := n.Status == "PENDING"
	n.PIN, n.Status, n.setup.region = pin, "CONNECTED", region
	if n.NameStatus == "PENDING_REVIEW" {
		n.NameStatus = "AVAILABLE_WITHOUT_REVIEW"
	}
	if first {
		s.announce(n.account, "phone_number_quality_update", object{"display_phone_number": n.digits, "event": "ONBOARDING",
			"max_daily_conversations_per_business": n.Tier}, s.now())
	}
	return success, nil
}

// mayRegister counts a call of register or deregister.
func (n *number) mayRegister(now int64) *graph.Error {
	n.setup.calls = slices.DeleteFunc(n.setup.calls, func(at int64) bool { return now-at >= int64(registrationWindow) })
	if len(n.setup.calls) >= registrations {
		return graph.Fail(133016, "The phone number was registered and deregistered too often. Try again later.")
	}
	n.setup.calls = append(n.setup.calls, now)
	return nil
}

// checkPIN compares a PIN with the number's, if it has one.
func (n *number) checkPIN(pin string, now int64) *graph.Error {
	if left := time.Duration(n.setup.locked - now); left > 0 {
		return graph.Fail(133008, fmt.Sprintf("Too many wrong PINs. Try again in %d seconds.", int64(left/time.Second)+1))
	}
	if n.PIN == "" || n.PIN == pin {
		n.setup.guesses = 0
		return nil
	}
	if n.setup.guesses++; n.setup.guesses >= pinGuesses {
		n.setup.guesses, n.setup.locked = 0, now+int64(pinLock)
	}
	return graph.Fail(133005, "The PIN does not match the two-step verification code of the phone number.")
}

func isPIN(s string) bool { return len(s) == 6 && digitsOnly(s) == s }

// deregister takes a number off the Cloud API; it stays in its account and keeps its PIN.
func deregister(_ *Sim, c *call) (any, *graph.Error) {
	n := c.number
	switch {
	case n.Throughput == ThroughputCoexistence:
		return nil, graph.Param("A number of the WhatsApp Business app cannot be deregistered.")
	case n.Status != "CONNECTED":
		return nil, graph.Fail(133010, "The phone number is not registered.")
	}
	if err := n.mayRegister(c.now); err != nil {
		return nil, err
	}
	n.Status = "DISCONNECTED"
	return success, nil
}

// changeNumber is POST /{number}: a new PIN, or an address for the number's own webhooks.
func changeNumber(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	pin, given := c.params.String("pin")
	if !given {
		return setNumberCallback(s, c)
	}
	if !isPIN(pin) {
		return nil, graph.Param("Param pin must be 6 characters long.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.st.numbers[c.number.ID]
	if n == nil {
		return nil, graph.UnknownObject(http.MethodPost, c.id)
	}
	n.PIN, n.setup.guesses, n.setup.locked = pin, 0, 0
	s.announce(n.account, "security", object{"display_phone_number": n.digits, "event": "PIN_CHANGED"}, s.now())
	return success, nil
}

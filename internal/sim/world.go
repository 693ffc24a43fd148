package sim

import (
	"encoding/json"
	"fmt"
	"time"
)

// World is what exists when the simulator starts and after a reset. It is plain data, so that a load test can start with
// fifty fast numbers and no customers.
type World struct {
	AppName   string
	Portfolio string // business portfolio that owns every account; scopes user ids and the messaging limit
	Accounts  []Account
	Tokens    []Token
	Customers []Customer
}

// Account is a WhatsApp Business Account.
type Account struct {
	ID         string
	Name       string
	Currency   string // "USD" when empty
	Country    string // "US" when empty
	Subscribed bool   // the app is subscribed to it; without that, its webhooks are dropped
	Marketing  bool   // onboarded to the Marketing Messages API
	Numbers    []Number
	Templates  []Template
}

// Throughput levels of a number.
const (
	ThroughputStandard    = "STANDARD"       // 80 messages a second
	ThroughputHigh        = "HIGH"           // 1,000
	ThroughputCoexistence = "NOT_APPLICABLE" // 20: shared with the WhatsApp Business app
)

// Number is a business phone number. Empty words mean the usual: CONNECTED, GREEN, STANDARD, TIER_UNLIMITED, LIVE.
type Number struct {
	ID           string
	Phone        string // E.164
	VerifiedName string
	Status       string
	Quality      string
	Tier         string // messaging_limit_tier
	Throughput   string
	Mode         string   // SANDBOX is a test number, which may only write to Allowed
	Allowed      []string // recipients of a test number, digits
	PIN          string   // two-step verification
	Verification string   // code_verification_status; VERIFIED when empty
	NameStatus   string   // of the display name; APPROVED when empty
	Official     bool     // an official business account
}

// Template is a message template as Meta lists it.
type Template struct {
	ID         string
	Name       string
	Language   string
	Category   string // MARKETING, UTILITY, AUTHENTICATION
	Status     string // "APPROVED" when empty
	Format     string // parameter_format: POSITIONAL when empty, NAMED
	Components json.RawMessage
}

// Token is an access token and what it opens.
type Token struct {
	Value    string
	UserID   string
	Accounts []string  // WABA ids; none means all
	Scopes   []string  // permissions; none means both WhatsApp permissions
	Expires  time.Time // zero is never
}

// Customer is a WhatsApp user. Anyone the world does not list is an ordinary user who is on WhatsApp.
type Customer struct {
	WAID             string // canonical number, digits
	Name             string
	NotOnWhatsApp    bool
	NoReadReceipts   bool
	Blocked          bool // this user blocked the business: messages are sent and never delivered
	MarketingOptOut  bool
	BusinessBlocked  bool // the business blocked this user
	IdentityKeyHash  string
	CannotReceiveNew bool // an old client: address and flow messages fail with 1026
	HidesNumber      bool // goes by a username: the business learns the scoped id only, and answers to that
}

// The seeded development world.
const (
	AppID       = "1300000000000001"
	AppSecret   = "waxwing-sim-app-secret"
	VerifyToken = "waxwing-sim-verify-token"

	AccountID   = "1200000000000001"
	NumberID    = "1100000000000001"
	NumberPhone = "+15550100001"
	NumberPIN   = "123456"
	AccessToken = "EAAWAXWINGDEVTOKEN"

	NewAccountID   = "1200000000000002" // waits, unlinked, for a sign-up
	NewNumberID    = "1100000000000002"
	NewNumberPhone = "+15550100002"
	NewAccessToken = "EAAWAXWINGNEWWABA"

	Diego = "14255550150"
	Amara = "447700900123"
	Priya = "919876543210"
)

// SeededWorld is the development world: a linked account with one number and three templates, a second account behind its own
// token, and three customers.
func SeededWorld() World {
	return World{
		AppName:   "Waxwing Development",
		Portfolio: "1500000000000001",
		Accounts: []Account{
			{ID: AccountID, Name: "Waxwing Demo", Subscribed: true,
				Numbers:   []Number{{ID: NumberID, Phone: NumberPhone, VerifiedName: "Waxwing Demo", PIN: NumberPIN}},
				Templates: seededTemplates(1)},
			{ID: NewAccountID, Name: "Waxwing Newcomer",
				Numbers:   []Number{{ID: NewNumberID, Phone: NewNumberPhone, VerifiedName: "Waxwing Newcomer", PIN: NumberPIN}},
				Templates: seededTemplates(2)},
		},
		Tokens: []Token{
			{Value: AccessToken, UserID: "1600000000000001", Accounts: []string{AccountID}},
			{Value: NewAccessToken, UserID: "1600000000000002", Accounts: []string{NewAccountID}},
		},
		Customers: []Customer{
			{WAID: Diego, Name: "Diego"},
			{WAID: Amara, Name: "Amara"},
			{WAID: Priya, Name: "Priya"},
		},
	}
}

func seededTemplates(account int) []Template {
	list := []Template{
		{Name: "hello_world", Components: json.RawMessage(`[{"type":"HEADER","format":"TEXT","text":"Hello World"},` +
			`{"type":"BODY","text":"Welcome! This message shows that your number can reach its customers."},` +
			`{"type":"FOOTER","text":"Waxwing sample message"}]`)},
		{Name: "statement", Components: json.RawMessage(`[{"type":"BODY","text":"Your statement is ready. The balance is {{1}} today.",` +
			`"example":{"body_text":[["1000"]]}}]`)},
		{Name: "simple_template", Components: json.RawMessage(`[{"type":"BODY","text":"Thank you for being our customer."}]`)},
	}
	for i := range list {
		list[i].ID = fmt.Sprintf("14000000000%05d", account*100+i+1)
		list[i].Language, list[i].Category = "en_US", "UTILITY"
	}
	return list
}

package sim

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// signUp is what the owner of a business decides in the embedded sign-up, and POST /sim/v1/sign-ups as a whole.
type signUp struct {
	Account     string `json:"waba_id"`      // an existing account; "" makes one
	AccountName string `json:"waba_name"`    // of a new account
	Number      string `json:"phone_number"` // E.164, to add to the account; "" adds none
	DisplayName string `json:"display_name"` // what customers see; default: the account's name
	Unverified  bool   `json:"unverified"`   // leave the number without a verified code
}

// signedUp is how a sign-up ends: the code for the app's server, and the message to the app's page.
type signedUp struct {
	Code    string         `json:"code"`
	Session signUpFinished `json:"session"`
}

// signUpFinished is the message that Meta's page posts to the page that opened it.
type signUpFinished struct {
	Type    string `json:"type"`
	Event   string `json:"event"`
	Version int    `json:"version"`
	Data    struct {
		Number   string `json:"phone_number_id,omitempty"`
		Account  string `json:"waba_id"`
		Business string `json:"business_id"`
	} `json:"data"`
}

func postSignUp(s *Sim, r *http.Request) (done any, err error) {
	var in signUp
	if err := input(r, &in); err != nil {
		return nil, err
	}
	s.with(func(*state) {
		var a *account
		var n *number
		if a, n, err = s.enrol(in); err != nil {
			return
		}
		if n != nil && !in.Unverified {
			n.Verification = "VERIFIED"
		}
		done = s.finishSignUp(a, n)
	})
	return done, err
}

// signUpCancelled is that message when the owner gave up.
type signUpCancelled struct {
	Type    string `json:"type"`
	Event   string `json:"event"`
	Version int    `json:"version"`
	Data    struct {
		Step string `json:"current_step"`
	} `json:"data"`
}

// checkSignUp reports whether enrol would refuse.
func (s *Sim) checkSignUp(in signUp) error {
	digits := digitsOnly(in.Number)
	a, n := s.st.accounts[in.Account], s.st.numberOf(digits)
	switch {
	case in.Number != "" && (len(digits) < 7 || len(digits) > 15):
		return fault.New(fault.Validation, "%q is not a phone number: give 7 to 15 digits with the country code", in.Number)
	case in.Account != "" && a == nil:
		return fault.New(fault.NotFound, "no account has the id %q", in.Account)
	case digits != "" && n != nil && n.account != a:
		return fault.New(fault.Validation, "the phone number belongs to another account")
	case a == nil && in.AccountName == "":
		return fault.New(fault.Validation, "a new account needs a name")
	}
	return nil
}

// enrol makes or finds what a sign-up names. A new number is not verified yet.
func (s *Sim) enrol(in signUp) (*account, *number, error) {
	if err := s.checkSignUp(in); err != nil {
		return nil, nil, err
	}
	digits := digitsOnly(in.Number)
	a, n := s.st.accounts[in.Account], s.st.numberOf(digits)
	if a == nil {
		a = s.st.newAccount(in.AccountName)
	}
	if digits != "" && n == nil {
		n = s.st.addNumber(a, Number{Phone: "+" + digits, VerifiedName: cmp.Or(in.DisplayName, a.Name), Status: "PENDING", Quality: "UNKNOWN",
			Tier: "TIER_250", Verification: "NOT_VERIFIED", NameStatus: "PENDING_REVIEW"})
	}
	return a, n, nil
}

func (st *state) newAccount(name string) *account {
	id := ""
	for i := uint64(len(st.order)); id == "" || st.accounts[id] != nil; i++ {
		id = strconv.FormatUint(1_200_000_000_000_001+i, 10)
	}
	st.addAccount(Account{ID: id, Name: name})
	return st.accounts[id]
}

// finishSignUp grants the app access and tells it so, as Meta does: by the page, and by a webhook about the business account.
func (s *Sim) finishSignUp(a *account, n *number) signedUp {
	var done signUpFinished
	done.Type, done.Event, done.Version = "WA_EMBEDDED_SIGNUP", "FINISH_ONLY_WABA", 3
	done.Data.Account, done.Data.Business = a.ID, s.world.Portfolio
	if n != nil {
		done.Event, done.Data.Number = "FINISH", n.ID
	}
	s.announce(a, "account_update", object{"event": "PARTNER_APP_INSTALLED",
		"waba_info": object{"waba_id": a.ID, "owner_business_id": s.world.Portfolio, "partner_app_id": s.o.AppID}}, s.now())
	return signedUp{s.grantCode(a), done}
}

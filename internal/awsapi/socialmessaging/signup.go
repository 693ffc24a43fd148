package socialmessaging

import (
	"context"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// SignUps links business accounts in two phases, unlinks them, and changes their numbers.
type SignUps interface {
	// Begin takes what Meta's embedded sign-up ended with, an access token or a code, and returns what is left to finish and the
	// token that finishes it. callback is where Meta shall send its callbacks; nil leaves that as it is.
	Begin(ctx context.Context, accountID string, credential identity.Secret, callback *string) (identity.Secret, []account.Pending, error)
	// Finish registers numbers and returns the key of their business account.
	Finish(ctx context.Context, s account.SetUp) (wabaKey string, err error)
	// Unlink takes a business account away; one that is not there is a fault.NotFound.
	Unlink(ctx context.Context, accountID, wabaKey string) error
	// ChangeSettings changes what Meta keeps as a number's settings; what is left out of Meta's object stays.
	ChangeSettings(ctx context.Context, p *account.PhoneNumber, settings any) error
}

// signUpOperations are the operations that link, unlink and change what is linked.
func (s server) signUpOperations() []awsapi.Operation {
	return []awsapi.Operation{
		{Name: "AssociateWhatsAppBusinessAccount", Method: "POST", Path: "/v1/whatsapp/signup",
			Errors: []fault.Kind{fault.InvalidParameters, fault.LimitExceeded, fault.Dependency}, Once: true, Do: awsapi.Op(s.associate)},
		{Name: "DisassociateWhatsAppBusinessAccount", Method: "DELETE", Path: "/v1/whatsapp/waba/disassociate",
			Errors: readErrors, Rate: 10, Do: awsapi.Op(s.disassociate)},
		{Name: "UpdateLinkedWhatsAppBusinessAccountPhoneNumber", Method: "PUT", Path: "/v1/whatsapp/waba/phone",
			Errors: []fault.Kind{fault.InvalidParameters, fault.NotFound, fault.Dependency, fault.AccessDeniedByMeta, fault.Conflict},
			Do:     awsapi.Op(s.updateNumber)},
	}
}

type associateInput struct {
	Callback *signUpCallback    `json:"signupCallback"`
	Setup    *setupFinalization `json:"setupFinalization"`
}

// signUpCallback starts a link. AWS says of callbackUrl no more than that WhatsApp sends callback notifications there. Events have to
// come from those callbacks, so here it is another address of this installation: a tunnel, or a proxy in front of it. Meta asks it
// for our verify token.
type signUpCallback struct {
	AccessToken string  `json:"accessToken" required:"true" len:"0..1000" sensitive:"true"`
	CallbackURL *string `json:"callbackUrl" len:"0..100"`
}

type setupFinalization struct {
	Token   string        `json:"associateInProgressToken" required:"true" len:"0..50" sensitive:"true"`
	Numbers []numberSetup `json:"phoneNumbers" required:"true"`
	Parent  string        `json:"phoneNumberParent" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	WABA    *wabaSetup    `json:"waba"`
}

type numberSetup struct {
	ID     string `json:"id" required:"true" len:"1..115"` // the model has Meta's id here, its text ours: both are taken, and ARNs
	PIN    string `json:"twoFactorPin" required:"true" len:"1..6" sensitive:"true"`
	Region string `json:"dataLocalizationRegion" pattern:"[A-Z]{2}"`
	Tags   []tag  `json:"tags"`
}

type wabaSetup struct {
	ID           string              `json:"id" len:"1..115"`
	Destinations *[]eventDestination `json:"eventDestinations" len:"0..1"`
	Tags         []tag               `json:"tags"`
}

type associateOutput struct {
	Callback   *signUpResult `json:"signupCallbackResult,omitempty"`
	StatusCode int           `json:"statusCode"`
	WABAID     string        `json:"linkedWhatsAppBusinessAccountId,omitempty"`
}

type signUpResult struct {
	Token    string                  `json:"associateInProgressToken"`
	Accounts map[string]pendingSetup `json:"linkedAccountsWithIncompleteSetup"` // by Meta's id of the business account
}

// pendingSetup is LinkedAccountWithIncompleteSetup. Its wabaId is an ARN.
type pendingSetup struct {
	Name    string        `json:"accountName"`
	Status  string        `json:"registrationStatus"`
	Numbers []phoneNumber `json:"unregisteredWhatsAppPhoneNumbers"`
	ARN     string        `json:"wabaId"`
}

// associate links a business account: first with what the embedded sign-up ended with, then with PINs, destination and tags.
func (s server) associate(ctx context.Context, in *associateInput) (*associateOutput, error) {
	switch {
	case (in.Callback == nil) == (in.Setup == nil):
		return nil, refuse("Exactly one of signupCallback and setupFinalization has to be given.")
	case in.Callback != nil:
		return s.beginSignUp(ctx, in.Callback)
	default:
		return s.finishSignUp(ctx, in.Setup)
	}
}

func (s server) beginSignUp(ctx context.Context, in *signUpCallback) (*associateOutput, error) {
	scope := awsapi.From(ctx).Scope()
	if in.AccessToken == "" {
		return nil, refuse("accessToken must not be empty.")
	}
	token, pending, err := s.SignUps.Begin(ctx, scope.AccountID, identity.Secret(in.AccessToken), in.CallbackURL)
	if err != nil {
		return nil, err
	}
	result := &signUpResult{Token: token.Reveal(), Accounts: make(map[string]pendingSetup, len(pending))}
	for i := range pending {
		p := &pending[i]
		setup := pendingSetup{Name: p.WABA.Name, Status: string(p.WABA.RegistrationStatus), Numbers: make([]phoneNumber, len(p.Numbers)),
			ARN: scope.ARN(account.KindWABA, p.WABA.Key)}
		for j := range p.Numbers {
			setup.Numbers[j] = describe(scope, &p.Numbers[j])
		}
		result.Accounts[p.WABA.MetaID] = setup
	}
	return &associateOutput{Callback: result, StatusCode: http.StatusOK}, nil
}

func (s server) finishSignUp(ctx context.Context, in *setupFinalization) (*associateOutput, error) {
	scope := awsapi.From(ctx).Scope()
	setup := account.SetUp{Scope: scope, Token: identity.Secret(in.Token), Parent: in.Parent, KeepDestination: true}
	if w := in.WABA; w != nil {
		if in.Parent != "" {
			return nil, refuse("Exactly one of waba and phoneNumberParent has to be given.")
		}
		if w.ID == "" {
			return nil, refuse("waba has no id.")
		}
		setup.WABA = w.ID
		if w.Destinations != nil {
			setup.KeepDestination = false
			if len(*w.Destinations) > 0 {
				d := (*w.Destinations)[0]
				if err := checkDestination(scope, d); err != nil {
					return nil, err
				}
				setup.Destination = &account.Destination{ARN: d.ARN, RoleARN: d.RoleARN}
			}
		}
		var err error
		if setup.Tags, err = newTags(w.Tags); err != nil {
			return nil, err
		}
	}
	for _, n := range in.Numbers {
		tags, err := newTags(n.Tags)
		if err != nil {
			return nil, err
		}
		setup.Numbers = append(setup.Numbers, account.NumberSetUp{ID: n.ID, PIN: identity.Secret(n.PIN), Region: n.Region, Tags: tags})
	}
	key, err := s.SignUps.Finish(ctx, setup)
	if err != nil {
		return nil, err
	}
	return &associateOutput{StatusCode: http.StatusOK, WABAID: account.ID(account.KindWABA, key)}, nil
}

type disassociateInput struct {
	ID string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
}

// disassociate unlinks a business account. Messages that were accepted are still sent; its tags and destination are gone, and
// its ids are never used again.
func (s server) disassociate(ctx context.Context, in *disassociateInput) (*struct{}, error) {
	scope := awsapi.From(ctx).Scope()
	key, ok := account.ResolveKey(scope, account.KindWABA, in.ID)
	if !ok {
		return nil, noWABA(in.ID)
	}
	return new(struct{}), named(s.SignUps.Unlink(ctx, scope.AccountID, key), noWABA(in.ID))
}

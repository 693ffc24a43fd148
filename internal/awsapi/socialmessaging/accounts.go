package socialmessaging

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// wabaSummary is LinkedWhatsAppBusinessAccountSummary of the model, and all of LinkedWhatsAppBusinessAccount but its numbers.
type wabaSummary struct {
	ARN                string             `json:"arn"`
	ID                 string             `json:"id"`
	MetaID             string             `json:"wabaId"`
	RegistrationStatus string             `json:"registrationStatus"`
	LinkDate           restjson.Time      `json:"linkDate"`
	Name               string             `json:"wabaName"`
	Destinations       []eventDestination `json:"eventDestinations"`
	MarketingStatus    string             `json:"marketingMessagesOnboardingStatus,omitempty"`
}

// wabaDetail is LinkedWhatsAppBusinessAccount.
type wabaDetail struct {
	wabaSummary
	PhoneNumbers []phoneNumber `json:"phoneNumbers"`
}

// phoneNumber is WhatsAppPhoneNumberSummary and WhatsAppPhoneNumberDetail, which are the same.
type phoneNumber struct {
	ARN           string `json:"arn"`
	Number        string `json:"phoneNumber"` // E.164 with its plus
	ID            string `json:"phoneNumberId"`
	MetaID        string `json:"metaPhoneNumberId"`
	DisplayName   string `json:"displayPhoneNumberName"`
	DisplayNumber string `json:"displayPhoneNumber"`
	QualityRating string `json:"qualityRating"`
	DataRegion    string `json:"dataLocalizationRegion,omitempty"`
}

func summarise(scope account.Scope, w *account.WABA) wabaSummary {
	s := wabaSummary{ARN: scope.ARN(account.KindWABA, w.Key), ID: account.ID(account.KindWABA, w.Key), MetaID: w.MetaID,
		RegistrationStatus: string(w.RegistrationStatus), LinkDate: restjson.Time(w.LinkedAt), Name: w.Name,
		Destinations: []eventDestination{}, MarketingStatus: w.MarketingStatus}
	if d := w.Destination; d != nil {
		s.Destinations = append(s.Destinations, eventDestination{ARN: d.ARN, RoleARN: d.RoleARN})
	}
	return s
}

func describe(scope account.Scope, p *account.PhoneNumber) phoneNumber {
	return phoneNumber{ARN: scope.ARN(account.KindPhoneNumber, p.Key), Number: p.E164,
		ID: account.ID(account.KindPhoneNumber, p.Key), MetaID: p.MetaID, DisplayName: p.DisplayName,
		DisplayNumber: p.DisplayNumber, QualityRating: p.QualityRating, DataRegion: p.DataRegion}
}

type getWABAInput struct {
	ID string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
}

type getWABAOutput struct {
	Account wabaDetail `json:"account"`
}

func (s server) getWABA(ctx context.Context, in *getWABAInput) (*getWABAOutput, error) {
	scope := awsapi.From(ctx).Scope()
	key, ok := account.ResolveKey(scope, account.KindWABA, in.ID)
	if !ok {
		return nil, noWABA(in.ID)
	}
	waba, numbers, err := s.Accounts.WABA(ctx, scope.AccountID, key)
	if err != nil {
		return nil, named(err, noWABA(in.ID))
	}
	out := &getWABAOutput{wabaDetail{summarise(scope, &waba), make([]phoneNumber, len(numbers))}}
	for i := range numbers {
		out.Account.PhoneNumbers[i] = describe(scope, &numbers[i])
	}
	return out, nil
}

type getPhoneNumberInput struct {
	ID string `query:"id" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
}

type getPhoneNumberOutput struct {
	PhoneNumber phoneNumber `json:"phoneNumber"`
	WABAID      string      `json:"linkedWhatsAppBusinessAccountId"`
}

func (s server) getPhoneNumber(ctx context.Context, in *getPhoneNumberInput) (*getPhoneNumberOutput, error) {
	scope := awsapi.From(ctx).Scope()
	number, err := s.phoneNumber(ctx, scope, in.ID)
	if err != nil {
		return nil, err
	}
	return &getPhoneNumberOutput{describe(scope, &number), account.ID(account.KindWABA, number.WABAKey)}, nil
}

// phoneNumber looks up a number by id or ARN.
func (s server) phoneNumber(ctx context.Context, scope account.Scope, id string) (account.PhoneNumber, error) {
	missing := fault.New(fault.NotFound, "There is no phone number %s in this account and Region.", id)
	key, ok := account.ResolveKey(scope, account.KindPhoneNumber, id)
	if !ok {
		return account.PhoneNumber{}, missing
	}
	number, err := s.Accounts.PhoneNumber(ctx, scope.AccountID, key)
	return number, named(err, missing)
}

// maxPage is the largest page of a list, and the size of pages that are not asked to be smaller.
const maxPage = 100

type listWABAsInput struct {
	NextToken  string `query:"nextToken" len:"1..600"`
	MaxResults int    `query:"maxResults" range:"1..100"`
}

type listWABAsOutput struct {
	Accounts  []wabaSummary `json:"linkedAccounts"`
	NextToken string        `json:"nextToken,omitempty"`
}

func (s server) listWABAs(ctx context.Context, in *listWABAsInput) (*listWABAsOutput, error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	var after string
	if in.NextToken != "" {
		var err error
		if after, err = s.Pages.Open(in.NextToken, scope.AccountID, scope.Region, request.Operation); err != nil {
			return nil, err
		}
	}
	size := in.MaxResults
	if size == 0 {
		size = maxPage
	}
	wabas, err := s.Accounts.WABAs(ctx, scope.AccountID, after, size+1) // one more tells whether there is another page
	if err != nil {
		return nil, err
	}
	out := new(listWABAsOutput)
	if len(wabas) > size {
		wabas = wabas[:size]
		out.NextToken = s.Pages.Seal(wabas[size-1].Key, scope.AccountID, scope.Region, request.Operation)
	}
	out.Accounts = make([]wabaSummary, len(wabas))
	for i := range wabas {
		out.Accounts[i] = summarise(scope, &wabas[i])
	}
	return out, nil
}

func noWABA(id string) *fault.Error {
	return fault.New(fault.NotFound, "There is no WhatsApp Business Account %s in this account and Region.", id)
}

// named replaces a store's NotFound by one that says what the caller asked for.
func named(err error, missing *fault.Error) error {
	if fault.Is(err, fault.NotFound) {
		return missing
	}
	return err
}

package extensions

import (
	"context"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Profiles are the business profiles of numbers, which Meta keeps. Errors are faults.
type Profiles interface {
	Profile(ctx context.Context, p *account.PhoneNumber) (account.Profile, error)
	ChangeProfile(ctx context.Context, p *account.PhoneNumber, changes account.Profile) error
}

// Analytics are the figures Meta keeps about templates. Errors are faults; a business account that is not the caller's is a
// NotFound.
type Analytics interface {
	TemplateAnalytics(ctx context.Context, accountID, wabaKey string, start, end time.Time, templates []string) ([]account.TemplateDay, error)
}

// Reach counts the customers that a business account has written to first since a time.
type Reach interface {
	Reached(ctx context.Context, wabaKey, recipient string, since time.Time, limit int) (customers int, counted bool, err error)
}

// NumberOptions are the parts behind the operations on numbers. All are required.
type NumberOptions struct {
	Numbers   Numbers
	Notices   Notices
	Profiles  Profiles
	Analytics Analytics
	Sending   Sending
	Reach     Reach
	Explain   func(code int) (Advice, bool)
	Now       func() time.Time
}

// NumberOperations returns the rows about numbers and templates to add to the table.
func NumberOperations(o NumberOptions) []awsapi.Operation {
	s := numberServer{NumberOptions: o, server: server{Options{Numbers: o.Numbers, Sending: o.Sending, Explain: o.Explain}}}
	asked := []fault.Kind{fault.InvalidParameters, fault.NotFound, fault.Dependency, fault.AccessDeniedByMeta}
	return []awsapi.Operation{
		{Name: "GetPhoneNumber", Method: "GET", Path: "/v1/waxwing/phone-numbers/details", Errors: errors, Rate: 100, Do: awsapi.Op(s.getNumber)},
		{Name: "ListAccountNotices", Method: "GET", Path: "/v1/waxwing/accounts/notices", Errors: errors, Rate: 100, Do: awsapi.Op(s.listNotices)},
		{Name: "GetBusinessProfile", Method: "GET", Path: "/v1/waxwing/phone-numbers/profile", Errors: asked, Do: awsapi.Op(s.getProfile)},
		{Name: "UpdateBusinessProfile", Method: "PUT", Path: "/v1/waxwing/phone-numbers/profile", Errors: asked, Do: awsapi.Op(s.updateProfile)},
		{Name: "GetTemplateAnalytics", Method: "GET", Path: "/v1/waxwing/templates/analytics", Errors: asked, Do: awsapi.Op(s.getAnalytics)},
	}
}

type numberServer struct {
	NumberOptions
	server server
}

type numberInput struct {
	ID string `query:"phoneNumberId" required:"true" len:"1..115"`
}

type getNumberOutput struct {
	ID            string `json:"phoneNumberId"`
	Status        string `json:"status"`               // Active or Incomplete setup
	MetaStatus    string `json:"metaStatus,omitempty"` // Meta's own word
	QualityRating string `json:"qualityRating"`
	DisplayName   string `json:"displayPhoneNumberName"`
	NameStatus    string `json:"nameStatus,omitempty"`
	AccountType   string `json:"accountType"` // business, or official with the check mark
	Throughput    struct {
		Level     string  `json:"level"`
		PerSecond float64 `json:"messagesPerSecond"`
	} `json:"throughput"`
	Limit   *messagingLimit `json:"messagingLimit,omitempty"`
	Blocked *blocked        `json:"blocked,omitempty"`

	// What webhooks have said.
	AccountReview string        `json:"accountReview,omitempty"`
	Restrictions  []restriction `json:"restrictions,omitempty"`
	Ban           *ban          `json:"ban,omitempty"`
	Notices       []notice      `json:"notices,omitempty"` // about this number
}

// messagingLimit is how many customers a day the business may write to first.
type messagingLimit struct {
	Tier      string `json:"tier"`
	Customers *int   `json:"customersPerDay,omitempty"`  // absent when there is no limit, or Meta's word is new
	Reached   *int   `json:"customersReached,omitempty"` // in the last 24 hours, by this business account; counted up to the limit
}

// getNumber tells what Meta has said last about a number and AWS's API does not show.
func (s numberServer) getNumber(ctx context.Context, in *numberInput) (*getNumberOutput, error) {
	p, err := s.server.phone(ctx, awsapi.From(ctx).Scope(), in.ID)
	if err != nil {
		return nil, err
	}
	out := &getNumberOutput{ID: account.ID(account.KindPhoneNumber, p.Key), Status: string(p.Status), MetaStatus: p.MetaStatus,
		QualityRating: p.QualityRating, DisplayName: p.DisplayName, NameStatus: p.NameStatus, AccountType: "business"}
	if p.Official {
		out.AccountType = "official"
	}
	out.Throughput.Level, out.Throughput.PerSecond = string(p.Throughput), p.Throughput.PerSecond()
	if p.MessagingLimit != "" {
		out.Limit = &messagingLimit{Tier: p.MessagingLimit}
		if n, ok := account.DailyReach(p.MessagingLimit); ok && n > 0 {
			out.Limit.Customers = &n
			reached, _, err := s.Reach.Reached(ctx, p.WABAKey, "", s.Now().Add(-message.WindowLength), n)
			if err != nil {
				return nil, err
			}
			out.Limit.Reached = &reached
		}
	}
	if out.Blocked, err = s.server.blocked(ctx, p.Key); err != nil {
		return nil, err
	}
	return out, s.standing(ctx, &p, out)
}

// profile is a business profile on the wire.
type profile struct {
	About       *string   `json:"about,omitempty" len:"1..139"`
	Address     *string   `json:"address,omitempty" len:"0..256"`
	Description *string   `json:"description,omitempty" len:"0..512"`
	Email       *string   `json:"email,omitempty" len:"0..128"`
	Websites    *[]string `json:"websites,omitempty" len:"0..2" each:"1..256"`
	Vertical    *string   `json:"vertical,omitempty" len:"0..50"`
}

type getProfileOutput struct {
	profile
	PictureURL string `json:"profilePictureUrl,omitempty"`
}

func (s numberServer) getProfile(ctx context.Context, in *numberInput) (*getProfileOutput, error) {
	number, err := s.server.phone(ctx, awsapi.From(ctx).Scope(), in.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.Profiles.Profile(ctx, &number)
	return &getProfileOutput{profile{p.About, p.Address, p.Description, p.Email, p.Websites, p.Vertical}, p.PictureURL}, err
}

type updateProfileInput struct {
	ID      string   `query:"phoneNumberId" required:"true" len:"1..115"`
	Profile *profile `json:"profile" required:"true"`
	Picture *string  `json:"profilePictureHandle" len:"1..1000"` // of CreateWhatsAppMessageTemplateMedia
}

// updateProfile changes the members that are given; an empty text or list clears one.
func (s numberServer) updateProfile(ctx context.Context, in *updateProfileInput) (*struct{}, error) {
	number, err := s.server.phone(ctx, awsapi.From(ctx).Scope(), in.ID)
	if err != nil {
		return nil, err
	}
	p := in.Profile
	return new(struct{}), s.Profiles.ChangeProfile(ctx, &number, account.Profile{About: p.About, Address: p.Address, Description: p.Description,
		Email: p.Email, Websites: p.Websites, Vertical: p.Vertical, PictureHandle: in.Picture})
}

type getAnalyticsInput struct {
	WABAID    string `query:"id" required:"true" len:"1..115"`
	Templates string `query:"metaTemplateIds" required:"true" len:"1..1000" pattern:"[0-9]+(,[0-9]+){0,9}"`
	Start     string `query:"start" len:"1..40"`
	End       string `query:"end" len:"1..40"`
}

type getAnalyticsOutput struct {
	Days []templateDay `json:"days"`
}

type templateDay struct {
	TemplateID string        `json:"metaTemplateId"`
	Start      restjson.Time `json:"start"`
	End        restjson.Time `json:"end"`
	Sent       int64         `json:"sent"`
	Delivered  int64         `json:"delivered"`
	Read       int64         `json:"read"`
	Clicks     []clicks      `json:"clicks,omitempty"`
}

type clicks struct {
	Type   string `json:"type"`
	Button string `json:"button"`
	Count  int64  `json:"count"`
}

// defaultSpan is how far back figures go when nothing else is asked for.
const defaultSpan = 7 * 24 * time.Hour

// getAnalytics returns Meta's daily figures of up to ten templates; without a start, of the last week.
func (s numberServer) getAnalytics(ctx context.Context, in *getAnalyticsInput) (*getAnalyticsOutput, error) {
	scope := awsapi.From(ctx).Scope()
	missing := fault.New(fault.NotFound, "There is no WhatsApp Business Account %s in this account and Region.", in.WABAID)
	key, ok := account.ResolveKey(scope, account.KindWABA, in.WABAID)
	if !ok {
		return nil, missing
	}
	start, err := when("start", in.Start)
	if err != nil {
		return nil, err
	}
	end, err := when("end", in.End)
	if err != nil {
		return nil, err
	}
	if end.IsZero() {
		end = s.Now()
	}
	if start.IsZero() {
		start = end.Add(-defaultSpan)
	}
	if !start.Before(end) {
		return nil, fault.New(fault.InvalidParameters, "start must be before end.")
	}
	days, err := s.Analytics.TemplateAnalytics(ctx, scope.AccountID, key, start, end, strings.Split(in.Templates, ","))
	if err != nil {
		return nil, err
	}
	out := &getAnalyticsOutput{Days: make([]templateDay, len(days))}
	for i, d := range days {
		out.Days[i] = templateDay{d.TemplateID, restjson.Time(d.Start), restjson.Time(d.End), d.Sent, d.Delivered, d.Read, nil}
		for _, c := range d.Clicks {
			out.Days[i].Clicks = append(out.Days[i].Clicks, clicks(c))
		}
	}
	return out, nil
}

package meta

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Fields of business accounts and numbers that are asked for. The messaging limit has had this name since v24.0.
const (
	accountFields = "id,name,marketing_messages_lite_api_status"
	numberFields  = "id,display_phone_number,verified_name,quality_rating,status,name_status,throughput,is_on_biz_app," +
		"is_official_business_account,whatsapp_business_manager_messaging_limit"
)

// Account asks for a business account and all of its numbers.
func (c *Client) Account(ctx context.Context, metaID string, token identity.Secret) (account.Facts, error) {
	var a struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Marketing string `json:"marketing_messages_lite_api_status"`
	}
	err := c.Do(ctx, Call{Version: Version, Path: metaID, Query: url.Values{"fields": {accountFields}}, Token: token}, &a)
	if err != nil {
		return account.Facts{}, err
	}
	f := account.Facts{MetaID: cmp.Or(a.ID, metaID), Name: atMost(a.Name, 200), MarketingStatus: atMost(a.Marketing, 100)}
	f.Numbers, err = c.numbers(ctx, metaID, token)
	return f, err
}

// phoneNode is a phone number as Meta tells of it.
type phoneNode struct {
	ID         string `json:"id"`
	Display    string `json:"display_phone_number"`
	Name       string `json:"verified_name"`
	Quality    string `json:"quality_rating"`
	Status     string `json:"status"`
	NameStatus string `json:"name_status"`
	Throughput struct {
		Level string `json:"level"`
	} `json:"throughput"`
	OnPhone  bool   `json:"is_on_biz_app"`
	Official bool   `json:"is_official_business_account"`
	Limit    string `json:"whatsapp_business_manager_messaging_limit"`
}

// maxPages bounds a list that never ends; Meta allows far fewer numbers.
const maxPages = 100

func (c *Client) numbers(ctx context.Context, metaID string, token identity.Secret) ([]account.PhoneNumber, error) {
	var list []account.PhoneNumber
	query := url.Values{"fields": {numberFields}, "limit": {"100"}}
	for range maxPages {
		var page struct {
			Data   []phoneNode `json:"data"`
			Paging struct {
				Next    json.RawMessage `json:"next"`
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
			} `json:"paging"`
		}
		if err := c.Do(ctx, Call{Version: Version, Path: metaID + "/phone_numbers", Query: query, Token: token}, &page); err != nil {
			return nil, err
		}
		for i := range page.Data {
			list = append(list, page.Data[i].facts())
		}
		if len(page.Paging.Next) == 0 || page.Paging.Cursors.After == "" {
			break
		}
		query.Set("after", page.Paging.Cursors.After) // next holds the token; the cursor is enough
	}
	return list, nil
}

func (n *phoneNode) facts() account.PhoneNumber {
	p := account.PhoneNumber{MetaID: n.ID, E164: e164(n.Display), DisplayName: atMost(n.Name, 200), DisplayNumber: atMost(n.Display, 20),
		QualityRating: n.Quality, Throughput: account.ThroughputStandard, MessagingLimit: n.Limit, MetaStatus: n.Status,
		NameStatus: n.NameStatus, Official: n.Official}
	if n.Quality == "" || n.Quality == "NA" || len(n.Quality) > 10 {
		p.QualityRating = "UNKNOWN"
	}
	switch {
	case n.Throughput.Level == "HIGH":
		p.Throughput = account.ThroughputHigh
	case n.OnPhone:
		p.Throughput = account.ThroughputShared
	}
	return p
}

// e164 takes the digits of a number as Meta formats it for people.
func e164(display string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, display)
	return "+" + atMost(digits, 15)
}

// atMost cuts what is longer than the API may show.
func atMost(s string, runes int) string {
	for i := range s {
		if runes--; runes < 0 {
			return s[:i]
		}
	}
	return s
}

// CodeCallback is Meta's refusal of an address that did not prove to be the app's.
const CodeCallback = 2200

// Callback is where Meta should send webhooks of one business account, instead of the app's own address.
type Callback struct {
	URL         string
	VerifyToken identity.Secret
}

// Subscribe lets webhooks of a business account come to the app, and to another address than the app's when callback has one.
// Meta checks that address before it answers. Without one, an earlier override ends.
func (c *Client) Subscribe(ctx context.Context, metaID string, token identity.Secret, callback Callback) error {
	call := Call{Method: http.MethodPost, Version: Version, Path: metaID + "/subscribed_apps", Token: token}
	if callback.URL != "" {
		call.Body = mustJSON(map[string]string{"override_callback_uri": callback.URL, "verify_token": callback.VerifyToken.Reveal()})
	}
	return c.succeed(ctx, call)
}

// Unsubscribe ends the webhooks of a business account to the app.
func (c *Client) Unsubscribe(ctx context.Context, metaID string, token identity.Secret) error {
	return c.succeed(ctx, Call{Method: http.MethodDelete, Version: Version, Path: metaID + "/subscribed_apps", Token: token})
}

// succeed makes a call whose answer says no more than that it worked.
func (c *Client) succeed(ctx context.Context, call Call) error {
	var answer struct {
		Success *bool `json:"success"`
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return err
	}
	if answer.Success != nil && !*answer.Success {
		return &Error{HTTPStatus: http.StatusOK, Message: "the answer says that it did not succeed"}
	}
	return nil
}

// mustJSON renders values of our own making.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("meta: " + err.Error())
	}
	return b
}

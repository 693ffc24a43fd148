package socialmessaging

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const (
	wantSummary = `{"arn":"arn:aws:social-messaging:eu-west-1:111122223333:waba/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",` +
		`"id":"waba-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","wabaId":"102290129340398","registrationStatus":"COMPLETE",` +
		`"linkDate":1736379042.271,"wabaName":"Example Shop","eventDestinations":[]`
	wantNumber = `{"arn":"arn:aws:social-messaging:eu-west-1:111122223333:phone-number-id/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",` +
		`"phoneNumber":"+4915112345678","phoneNumberId":"phone-number-id-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",` +
		`"metaPhoneNumberId":"106540352242922","displayPhoneNumberName":"Example Shop",` +
		`"displayPhoneNumber":"+49 1511 2345678","qualityRating":"GREEN","dataLocalizationRegion":"DE"}`
)

func TestReads(t *testing.T) {
	t.Parallel()
	wantWABA := `{"account":` + wantSummary + `,"phoneNumbers":[` + wantNumber + `]}}`
	wantPhone := `{"phoneNumber":` + wantNumber + `,"linkedWhatsAppBusinessAccountId":"waba-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`
	for _, tc := range []struct{ name, path, want string }{
		{"list", "/v1/whatsapp/waba/list", `{"linkedAccounts":[` + wantSummary + `}]}`},
		{"business account by id", "/v1/whatsapp/waba/details?id=" + wabaID, wantWABA},
		{"business account by ARN", "/v1/whatsapp/waba/details?id=" + url.QueryEscape(wabaARN), wantWABA},
		{"business account by ARN not escaped", "/v1/whatsapp/waba/details?id=" + wabaARN, wantWABA},
		{"number by id", "/v1/whatsapp/waba/phone/details?id=" + phoneID, wantPhone},
		{"number by ARN", "/v1/whatsapp/waba/phone/details?id=" + url.QueryEscape(phoneARN), wantPhone},
		{"unknown parameters are ignored", "/v1/whatsapp/waba/phone/details?x=1&id=" + phoneID + "&y", wantPhone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := newBench(t).Do(t, "GET", tc.path, nil)
			if got.Status != 200 || string(got.Body) != tc.want {
				t.Errorf("answer = %d %s\nwant %s", got.Status, got.Body, tc.want)
			}
			if ct := got.Header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("Content-Type = %q", ct)
			}
		})
	}
}

func TestOptionalMembers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wabas[0].Destination = &account.Destination{ARN: connect, RoleARN: roleARN}
	b.wabas[0].MarketingStatus = "ONBOARDED"
	b.numbers[0].DataRegion = ""
	got := string(b.Do(t, "GET", "/v1/whatsapp/waba/details?id="+wabaID, nil).Body)
	for _, want := range []string{
		`"eventDestinations":[{"eventDestinationArn":"` + connect + `","roleArn":"` + roleARN + `"}]`,
		`"marketingMessagesOnboardingStatus":"ONBOARDED"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("answer %s\nlacks %s", got, want)
		}
	}
	if strings.Contains(got, "dataLocalizationRegion") {
		t.Errorf("answer %s\nhas a data region, want none", got)
	}
}

func TestReadsRefuse(t *testing.T) {
	t.Parallel()
	unknownWABA, unknownPhone := "waba-"+strings.Repeat("0", 32), "phone-number-id-never-was"
	for _, tc := range []struct {
		name, path string
		broken     error
		status     int
		code, text string
	}{
		{"business account without id", "/v1/whatsapp/waba/details", nil, 400, "ValidationException",
			"Value null at 'id' failed to satisfy constraint: Member must not be null"},
		{"business account with empty id", "/v1/whatsapp/waba/details?id=", nil, 400, "ValidationException",
			"2 validation errors detected"},
		{"business account by a number's id", "/v1/whatsapp/waba/details?id=" + phoneID, nil, 400, "ValidationException",
			"Member must satisfy regular expression pattern: .*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*"},
		{"unknown business account", "/v1/whatsapp/waba/details?id=" + unknownWABA, nil, 404, "ResourceNotFoundException", unknownWABA},
		{"another account's ARN", "/v1/whatsapp/waba/details?id=" + strings.Replace(wabaARN, accountID, otherID, 1), nil, 404,
			"ResourceNotFoundException", otherID},
		{"business account, store down", "/v1/whatsapp/waba/details?id=" + wabaID, errors.New("boom"), 500, "InternalServiceException", ""},
		{"business account, dependency down", "/v1/whatsapp/waba/details?id=" + wabaID, fault.New(fault.Dependency, "Meta is away"),
			502, "DependencyException", "Meta is away"},
		{"number without id", "/v1/whatsapp/waba/phone/details", nil, 400, "ValidationException", "'id'"},
		{"number by a business account's id", "/v1/whatsapp/waba/phone/details?id=" + wabaID, nil, 400, "ValidationException", "phone-number-id"},
		{"unknown number", "/v1/whatsapp/waba/phone/details?id=" + unknownPhone, nil, 404, "ResourceNotFoundException", unknownPhone},
		{"number, store down", "/v1/whatsapp/waba/phone/details?id=" + phoneID, errors.New("boom"), 500, "InternalServiceException", ""},
		{"list, page too small", "/v1/whatsapp/waba/list?maxResults=0", nil, 400, "ValidationException",
			"Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"list, page too large", "/v1/whatsapp/waba/list?maxResults=101", nil, 400, "ValidationException",
			"Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"list, page not a number", "/v1/whatsapp/waba/list?maxResults=ten", nil, 400, "SerializationException", "Integer"},
		{"list, empty token", "/v1/whatsapp/waba/list?nextToken=", nil, 400, "ValidationException", "'nextToken'"},
		{"list, long token", "/v1/whatsapp/waba/list?nextToken=" + strings.Repeat("x", 601), nil, 400, "ValidationException", "600"},
		{"list, two problems", "/v1/whatsapp/waba/list?nextToken=&maxResults=0", nil, 400, "ValidationException",
			"2 validation errors detected: Value '' at 'nextToken'"},
		{"list, token of nobody's", "/v1/whatsapp/waba/list?nextToken=abc", nil, 400, "InvalidParametersException", "nextToken"},
		{"list, store down", "/v1/whatsapp/waba/list", errors.New("boom"), 500, "InternalServiceException", ""},
		{"list, dependency down, which it does not model", "/v1/whatsapp/waba/list", fault.New(fault.Dependency, "x"), 500,
			"InternalServiceException", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.broken = tc.broken
			got := b.Do(t, "GET", tc.path, nil)
			if got.Status != tc.status || got.Code() != tc.code || !strings.Contains(got.Message(), tc.text) {
				t.Errorf("answer = %d %s %q\nwant %d %s %q", got.Status, got.Code(), got.Message(), tc.status, tc.code, tc.text)
			}
		})
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wabas = nil
	var want []string
	for i := range 101 {
		key := fmt.Sprintf("%032x", i)
		want = append(want, "waba-"+key)
		b.wabas = append(b.wabas, account.WABA{Key: key, AccountID: accountID, LinkedAt: linkedAt})
	}
	type page struct {
		LinkedAccounts []struct{ ID string }
		NextToken      *string
	}
	for _, tc := range []struct {
		name, query string
		sizes       []int
	}{
		{"default size", "", []int{100, 1}},
		{"forty", "&maxResults=40", []int{40, 40, 21}},
		{"largest", "&maxResults=100", []int{100, 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			var sizes []int
			token := ""
			for {
				path := "/v1/whatsapp/waba/list?" + strings.TrimPrefix(tc.query, "&")
				if token != "" {
					path += "&nextToken=" + url.QueryEscape(token)
				}
				var p page
				b.Do(t, "GET", path, nil).JSON(t, &p)
				sizes = append(sizes, len(p.LinkedAccounts))
				for _, one := range p.LinkedAccounts {
					got = append(got, one.ID)
				}
				if p.NextToken == nil {
					break
				}
				if token = *p.NextToken; token == "" || len(token) > 600 {
					t.Fatalf("nextToken has %d characters", len(token))
				}
				stranger := b.stranger.Do(t, "GET", "/v1/whatsapp/waba/list?nextToken="+token, nil)
				if stranger.Code() != "InvalidParametersException" {
					t.Errorf("another account's use of the token: %d %s", stranger.Status, stranger.Body)
				}
			}
			if !slices.Equal(sizes, tc.sizes) {
				t.Errorf("sizes = %v, want %v", sizes, tc.sizes)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("all pages (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("of nothing", func(t *testing.T) {
		if got := b.stranger.Do(t, "GET", "/v1/whatsapp/waba/list", nil); string(got.Body) != `{"linkedAccounts":[]}` {
			t.Errorf("answer = %s", got.Body)
		}
	})
}

package query

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type value struct {
	Type   string `form:"DataType" required:"true"`
	Text   string `form:"StringValue"`
	Binary []byte `form:"BinaryValue"`
}

type tag struct {
	Key   string `form:"Key" required:"true"`
	Value string `form:"Value"`
}

type input struct {
	Name       string            `form:"Name" required:"true" len:"1..10"`
	Count      int               `form:"Count" range:"1..9"`
	Flag       bool              `form:"Flag"`
	Maybe      *bool             `form:"Maybe"`
	Words      []string          `form:"Words" each:"1..3"`
	Tags       []tag             `form:"Tags"`
	Attributes map[string]string `form:"Attributes"`
	Values     map[string]value  `form:"Values"`
	First      *tag              `form:"First"`
}

func decode(t testing.TB, method, form string) (*input, error) {
	t.Helper()
	described, err := shape.Of(reflect.TypeFor[input]())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, "/", nil)
	var body []byte
	if method == "GET" {
		r.URL.RawQuery = form
	} else {
		body = []byte(form)
	}
	in := new(input)
	var c shape.Checker
	if err := (Protocol{}).Decode(r, body, described, reflect.ValueOf(in).Elem(), &c); err != nil {
		return in, err
	}
	return in, c.Err()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	no := false
	for _, tc := range []struct {
		name, form string
		want       input
	}{
		{"scalars", "Action=X&Version=1&Name=a+b%26c&Count=3&Flag=true&Maybe=false", input{Name: "a b&c", Count: 3, Flag: true, Maybe: &no}},
		{"list", "Name=n&Words.member.1=a&Words.member.2=b", input{Name: "n", Words: []string{"a", "b"}}},
		{"list out of order, with a gap", "Name=n&Words.member.10=c&Words.member.2=b&Words.member.1=a", input{Name: "n", Words: []string{"a", "b", "c"}}},
		{"flat list", "Name=n&Words.1=a&Words.2=b", input{Name: "n", Words: []string{"a", "b"}}},
		{"empty list", "Name=n&Words=", input{Name: "n", Words: []string{}}},
		{"list of structures", "Name=n&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l", input{Name: "n", Tags: []tag{{"k", "v"}, {"l", ""}}}},
		{"map", "Name=n&Attributes.entry.1.key=a&Attributes.entry.1.value=b&Attributes.entry.2.key=c&Attributes.entry.2.value=",
			input{Name: "n", Attributes: map[string]string{"a": "b", "c": ""}}},
		{"map of structures, as SNS names them", "Name=n&Values.entry.1.Name=a&Values.entry.1.Value.DataType=String&Values.entry.1.Value.StringValue=x" +
			"&Values.entry.2.Name=b&Values.entry.2.Value.DataType=Binary&Values.entry.2.Value.BinaryValue=AP8%3D",
			input{Name: "n", Values: map[string]value{"a": {Type: "String", Text: "x"}, "b": {Type: "Binary", Binary: []byte{0, 255}}}}},
		{"structure", "Name=n&First.Key=k", input{Name: "n", First: &tag{Key: "k"}}},
		{"unknown parameters", "Name=n&Other=1&Name.Other=2&=&&", input{Name: "n"}},
	} {
		for _, method := range []string{"POST", "GET"} {
			t.Run(tc.name+" by "+method, func(t *testing.T) {
				t.Parallel()
				got, err := decode(t, method, tc.form)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, *got); diff != "" {
					t.Errorf("input (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, form, want string }{
		{"bad escape in a name", "N%zz=1", "escaped"},
		{"bad escape in a value", "Name=%", "escaped"},
		{"not UTF-8", "Name=%ff", "escaped"},
		{"too many parameters", strings.Repeat("a=1&", 4097), "too many"},
		{"too deep", strings.Repeat("a.", 12) + "a=1", "deep"},
		{"number that is none", "Name=n&Count=x", "integer"},
		{"boolean that is none", "Name=n&Flag=maybe", "boolean"},
		{"not base64", "Name=n&Values.entry.1.Name=a&Values.entry.1.Value.BinaryValue=%25", "base64"},
		{"entry without key", "Name=n&Attributes.entry.1.value=a", "key and a value"},
		{"entry without value", "Name=n&Attributes.entry.1.key=a", "key and a value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(t, "POST", tc.form)
			var e *awsapi.Error
			if !errors.As(err, &e) || e.Name != "MalformedQueryString" || !strings.Contains(e.Message, tc.want) {
				t.Errorf("decode = %v, want MalformedQueryString %q", err, tc.want)
			}
		})
	}
}

func TestDecodeChecks(t *testing.T) {
	t.Parallel()
	_, err := decode(t, "POST", "Count=10&Words.member.1=&Tags.member.1.Value=v&Values.entry.1.Name=a&Values.entry.1.Value.StringValue=x")
	want := "5 validation errors detected: " + strings.Join([]string{
		"Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
		"Value null at 'values.a.dataType' failed to satisfy constraint: Member must not be null",
		"Value null at 'name' failed to satisfy constraint: Member must not be null",
		"Value '10' at 'count' failed to satisfy constraint: Member must have value less than or equal to 9",
		"Value '' at 'words.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1",
	}, "; ")
	if !fault.Is(err, fault.Validation) || err.Error() != want {
		t.Errorf("err = %v\nwant %s", err, want)
	}
}

func TestAction(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, form, want string }{
		{"first", "Action=Publish&Version=1", "Publish"},
		{"last", "Version=1&Action=Publish", "Publish"},
		{"escaped", "Action=Pub%6Cish", "Publish"},
		{"none", "Version=1", ""},
		{"name that ends alike", "MyAction=Publish", ""},
		{"bad escape", "Action=%zz", ""},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := (Protocol{}).Action(httptest.NewRequest("POST", "/?Action=No", nil), []byte(tc.form)); got != tc.want {
				t.Errorf("POST: %q, want %q", got, tc.want)
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = tc.form
			if got := (Protocol{}).Action(r, []byte("Action=No")); got != tc.want {
				t.Errorf("GET: %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	const tail = "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetResponse>"
	const head = `<GetResponse xmlns="urn:x">`
	type topic struct {
		ARN string `xml:"TopicArn"`
	}
	for _, tc := range []struct {
		name string
		out  any
		want string
	}{
		{"nil", nil, head + tail},
		{"nothing", new(struct{}), head + tail},
		{"text is escaped", &topic{"<&>"}, head + "<GetResult><TopicArn>&lt;&amp;&gt;</TopicArn></GetResult>" + tail},
		{"map in order", &struct{ Attributes Map }{Map{"b": "2", "a": "1"}}, head + "<GetResult><Attributes>" +
			"<entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></Attributes></GetResult>" + tail},
		{"list", &struct {
			Topics []topic `xml:"Topics>member"`
		}{[]topic{{"a"}, {"b"}}}, head + "<GetResult><Topics><member><TopicArn>a</TopicArn></member><member><TopicArn>b</TopicArn></member></Topics></GetResult>" + tail},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := (Protocol{Namespace: "urn:x"}).Encode(&b, "Get", "id-1", tc.out); err != nil || b.String() != tc.want {
				t.Errorf("Encode = %s, %v\nwant %s", b.String(), err, tc.want)
			}
		})
	}
}

func TestEncodeError(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]string{404: "Sender", 500: "Receiver"} {
		var b bytes.Buffer
		Protocol{Namespace: "urn:x"}.EncodeError(nil, &b, "id-1", &awsapi.Error{Code: awsapi.Code{Name: "NotFound", Status: status}, Message: "a < b"})
		want := `<ErrorResponse xmlns="urn:x"><Error><Type>` + kind + `</Type><Code>NotFound</Code><Message>a &lt; b</Message></Error><RequestId>id-1</RequestId></ErrorResponse>`
		if b.String() != want {
			t.Errorf("error = %s\nwant %s", b.String(), want)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, kind := range fault.Kinds() {
		code := Codes()[kind]
		if code.Name == "" || code.Status < 400 || seen[code.Name] {
			t.Errorf("%s is %v, want a code of its own", kind, code)
		}
		seen[code.Name] = true
	}
	for _, reason := range sigv4.Reasons() {
		code := Protocol{}.Refusal(reason)
		if seen[code.Name] || code.Status != 403 {
			t.Errorf("reason %d is %v, want a code of its own and status 403", reason, code)
		}
		seen[code.Name] = true
	}
	changed := Codes().With(fault.NotFound, "NoSuchEntity", 404)
	if changed[fault.NotFound].Name != "NoSuchEntity" || Codes()[fault.NotFound].Name != "NotFound" {
		t.Error("With must change its copy, and only that")
	}
}

// Any form either binds or is refused as malformed, and any error is XML that parses.
func FuzzDecode(f *testing.F) {
	f.Add("Action=X&Name=n&Words.member.1=a&Tags.member.1.Key=k&Attributes.entry.1.key=a&Attributes.entry.1.value=b")
	f.Add("Values.entry.1.Name=a&Values.entry.1.Value.BinaryValue=AP8%3D&Name.=%00&.=&First.Key=")
	f.Fuzz(func(t *testing.T, form string) {
		_, err := decode(t, "POST", form)
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*awsapi.Error](err); ok && e.Name != "MalformedQueryString" || !ok && !fault.Is(err, fault.Validation) {
			t.Fatalf("decode(%q) = %v", form, err)
		}
		var b bytes.Buffer
		Protocol{}.EncodeError(nil, &b, "id", &awsapi.Error{Message: err.Error()})
		var back struct {
			Error struct{ Message string }
		}
		if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
			t.Errorf("%s: %v", b.Bytes(), err)
		}
	})
}

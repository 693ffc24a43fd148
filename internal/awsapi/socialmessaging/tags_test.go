package socialmessaging

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

func TestTags(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{wabaARN, phoneARN} {
		t.Run(arn, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			list := func(want string) {
				t.Helper()
				if got := b.Do(t, "GET", "/v1/tags/list?resourceArn="+url.QueryEscape(arn), nil); string(got.Body) != want {
					t.Errorf("tags = %d %s, want %s", got.Status, got.Body, want)
				}
			}
			change := func(path string, body object) {
				t.Helper()
				if got := b.Do(t, "POST", path, body); got.Status != 200 || string(got.Body) != `{"statusCode":200}` {
					t.Fatalf("%s = %d %s", path, got.Status, got.Body)
				}
			}
			list(`{"statusCode":200,"tags":[]}`)
			change("/v1/tags/tag-resource", object{"resourceArn": arn, "tags": []object{{"key": "team", "value": "ops"}, {"key": "empty"}}})
			list(`{"statusCode":200,"tags":[{"key":"empty","value":""},{"key":"team","value":"ops"}]}`)
			change("/v1/tags/tag-resource", object{"resourceArn": arn, "tags": []object{{"key": "team", "value": "büro 1"}}})
			change("/v1/tags/tag-resource", object{"resourceArn": arn, "tags": []object{}})
			list(`{"statusCode":200,"tags":[{"key":"empty","value":""},{"key":"team","value":"büro 1"}]}`)
			change("/v1/tags/untag-resource", object{"resourceArn": arn, "tagKeys": []string{"empty", "never-was"}})
			change("/v1/tags/untag-resource", object{"resourceArn": arn, "tagKeys": []string{}})
			list(`{"statusCode":200,"tags":[{"key":"team","value":"büro 1"}]}`)
		})
	}
}

func TestTagsRefuse(t *testing.T) {
	t.Parallel()
	tags := func(n int) (list []object) {
		for i := range n {
			list = append(list, object{"key": fmt.Sprintf("key%d", i)})
		}
		return list
	}
	one := func(key, value string) []object { return []object{{"key": key, "value": value}} }
	const tagPath, untagPath = "/v1/tags/tag-resource", "/v1/tags/untag-resource"
	unknown := strings.Replace(wabaARN, wabaKey, strings.Repeat("0", 32), 1)
	for _, tc := range []struct {
		name, path string
		body       object
		code, text string
	}{
		{"tag nothing", tagPath, object{}, "ValidationException", "2 validation errors detected"},
		{"tag by id", tagPath, object{"resourceArn": wabaID, "tags": one("a", "b")}, "ValidationException", "pattern: arn:.*"},
		{"tag with long key and value", tagPath, object{"resourceArn": wabaARN, "tags": one(strings.Repeat("k", 129), strings.Repeat("v", 257))},
			"ValidationException", "2 validation errors detected: Value '" + strings.Repeat("k", 129) + "' at 'tags.1.member.key' failed"},
		{"tag without key", tagPath, object{"resourceArn": wabaARN, "tags": append(one("fine", ""), object{"value": "x"})},
			"ValidationException", "Value null at 'tags.2.member.key' failed"},
		{"tag with empty key", tagPath, object{"resourceArn": wabaARN, "tags": one("", "x")}, "ValidationException", "'tags.1.member.key'"},
		{"tag unknown resource", tagPath, object{"resourceArn": unknown, "tags": one("a", "b")}, "InvalidParametersException", unknown},
		{"tag unknown resource with nothing", tagPath, object{"resourceArn": unknown, "tags": []object{}}, "InvalidParametersException", unknown},
		{"tag another account's resource", tagPath, object{"resourceArn": strings.Replace(wabaARN, accountID, otherID, 1), "tags": one("a", "b")},
			"InvalidParametersException", otherID},
		{"tag a topic", tagPath, object{"resourceArn": topicARN, "tags": one("a", "b")}, "InvalidParametersException", topicARN},
		{"tag with reserved prefix", tagPath, object{"resourceArn": wabaARN, "tags": one("AWS:x", "b")}, "InvalidParametersException", "aws:"},
		{"tag with bad key", tagPath, object{"resourceArn": wabaARN, "tags": one("a;b", "b")}, "InvalidParametersException", `"a;b"`},
		{"tag with bad value", tagPath, object{"resourceArn": wabaARN, "tags": one("a", "<b>")}, "InvalidParametersException", `"a"`},
		{"tag twice with one key", tagPath, object{"resourceArn": wabaARN, "tags": append(one("a", "1"), one("a", "2")...)},
			"InvalidParametersException", "more than once"},
		{"tag with too many", tagPath, object{"resourceArn": wabaARN, "tags": tags(51)}, "InvalidParametersException", "50"},
		{"tag beyond the limit", tagPath, object{"resourceArn": wabaARN, "tags": tags(50)}, "InvalidParametersException", "too many"},
		{"untag nothing", untagPath, object{"resourceArn": wabaARN}, "ValidationException", "'tagKeys'"},
		{"untag long key", untagPath, object{"resourceArn": wabaARN, "tagKeys": []string{"ok", strings.Repeat("k", 129)}},
			"ValidationException", "'tagKeys.2.member' failed"},
		{"untag reserved", untagPath, object{"resourceArn": wabaARN, "tagKeys": []string{"aws:x"}}, "InvalidParametersException", "aws:"},
		{"untag unknown resource", untagPath, object{"resourceArn": unknown, "tagKeys": []string{"x"}}, "InvalidParametersException", unknown},
		{"untag with a number", untagPath, object{"resourceArn": wabaARN, "tagKeys": []int{1}}, "SerializationException", "String"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			mine := []account.Tag{{Key: "mine", Value: "1"}}
			b.tags[wabaARN] = mine
			got := b.Do(t, "POST", tc.path, tc.body)
			if got.Code() != tc.code || !strings.Contains(got.Message(), tc.text) {
				t.Errorf("answer = %d %s %q\nwant %s %q", got.Status, got.Code(), got.Message(), tc.code, tc.text)
			}
			if diff := cmp.Diff(mine, b.tags[wabaARN]); diff != "" {
				t.Errorf("tags changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListTagsRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, query string
		broken      error
		code        string
	}{
		{"no resource", "", nil, "ValidationException"},
		{"an id", "?resourceArn=" + wabaID, nil, "ValidationException"},
		{"unknown resource", "?resourceArn=" + strings.Replace(wabaARN, wabaKey, "0", 1), nil, "InvalidParametersException"},
		{"store down", "?resourceArn=" + wabaARN, errors.New("boom"), "InternalServiceException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.broken = tc.broken
			if got := b.Do(t, "GET", "/v1/tags/list"+tc.query, nil); got.Code() != tc.code {
				t.Errorf("answer = %d %s %q, want %s", got.Status, got.Code(), got.Message(), tc.code)
			}
		})
	}
}

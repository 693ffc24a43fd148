package content

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	swapped   = `[{"type":"BODY","text":"For {{2}} from {{1}} with love"}]`
	twoNamed  = `[{"type":"BODY","text":"Hi {{first}} {{last}}."}]`
	codeOf    = `[{"type":"BODY","text":"*{{1}}* is your code."},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy code","url":"https://www.whatsapp.com/otp/code/?code=otp{{1}}"}]}]`
	couponOf  = `[{"type":"BODY","text":"Hi"},{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Ends","has_expiration":true}},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","text":"Copy offer code"},{"type":"URL","text":"Shop","url":"https://x/"}]}]`
	longBody  = `[{"type":"BODY","text":"Hi {{1}} there."},{"type":"FOOTER","text":"Bye"}]`
	aloneBody = `[{"type":"BODY","text":"Hi {{1}} there."}]`
	fullCards = `[{"type":"BODY","text":"Hi {{1}}."},{"type":"CAROUSEL","cards":[` + fullCard + `,` + fullCard + `]}]`
	fullCard  = `{"components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Save {{1}} now."},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"More"},{"type":"URL","text":"Shop","url":"https://x/{{1}}"}]}]}`
	manyOf    = `[{"type":"BODY","text":"Hi"},{"type":"BUTTONS","buttons":[{"type":"MPM","text":"View items"}]}]`
)

func cardOf(index, body, more string) string {
	return `{"card_index":` + index + `,"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]},` +
		bodyOf(`{"type":"text","text":"`+body+`"}`) + `,{"type":"button","sub_type":"url","index":1,"parameters":[{"type":"text","text":"9"}]}` + more + `]}`
}

func cardsOf(cards ...string) string {
	return bodyOf(`{"type":"text","text":"Ada"}`) + `,{"type":"carousel","cards":[` + strings.Join(cards, ",") + `]}`
}

const (
	offerUntil = `{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer","limited_time_offer":{"expiration_time_ms":1767225599000}}]}`
	coupon     = `,{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"HALF"}]}`
)

func products(n int) string {
	return `{"type":"button","sub_type":"mpm","index":0,"parameters":[{"type":"action","action":{"sections":[{"title":"A","product_items":[` +
		strings.TrimSuffix(strings.Repeat(`{"product_retailer_id":"p"},`, n), ",") + `]}]}}]}`
}

func TestTemplateCheckInDepth(t *testing.T) {
	t.Parallel()
	code := func(body, button string) string {
		return bodyOf(`{"type":"text","text":"`+body+`"}`) + `,{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"` + button + `"}]}`
	}
	for _, tc := range []struct {
		name, definition, components string
		named, auth                  bool
		types                        []string
		code                         int
		say                          string
	}{
		{name: "named twice", definition: twoNamed, named: true, components: bodyOf(`{"type":"text","parameter_name":"first","text":"A"},{"type":"text","parameter_name":"first","text":"B"}`), code: 132000, say: "first is given twice"},
		{name: "named in another order", definition: twoNamed, named: true, components: bodyOf(`{"type":"text","parameter_name":"last","text":"A"},{"type":"text","parameter_name":"first","text":"B"}`)},

		{name: "code", definition: codeOf, auth: true, components: code("123456", "123456")},
		{name: "code too long", definition: codeOf, auth: true, components: code("1234567890123456", "1"), code: 132005, say: "15"},
		{name: "code with an address", definition: codeOf, auth: true, components: code("https://x", "1"), code: 132007, say: "address"},
		{name: "code without its button", definition: codeOf, auth: true, components: bodyOf(`{"type":"text","text":"1"}`), code: 131008, say: "Button at index 0"},

		{name: "longer than a body", definition: longBody, components: bodyOf(`{"type":"text","text":"` + strings.Repeat("a", 1020) + `"}`), code: 132005, say: "1024"},
		{name: "a body alone may be longer", definition: aloneBody, components: bodyOf(`{"type":"text","text":"` + strings.Repeat("a", 30000) + `"}`)},
		{name: "but not without end", definition: aloneBody, components: bodyOf(`{"type":"text","text":"` + strings.Repeat("a", 32768) + `"}`), code: 132005, say: "32768"},
		{name: "longer than a header", definition: withURL, components: `{"type":"header","parameters":[{"type":"text","text":"` + strings.Repeat("a", 57) + `"}]},{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"9"}]}`, code: 132005, say: "header"},

		{name: "another kind of button", definition: withURL, components: `{"type":"header","parameters":[{"type":"text","text":"A"}]},{"type":"button","sub_type":"quick_reply","index":"1","parameters":[{"type":"payload","payload":"9"}]}`, code: 132018, say: "of type Url, not quick_reply"},

		{name: "offer", definition: couponOf, components: offerUntil + coupon},
		{name: "offer without its end", definition: couponOf, components: strings.TrimPrefix(coupon, ","), code: 131008, say: "limited_time_offer"},
		{name: "offer that ends in words", definition: couponOf, components: strings.Replace(offerUntil, "1767225599000", `"soon"`, 1) + coupon, code: 100, say: "expiration_time_ms"},
		{name: "offer without its code", definition: couponOf, components: offerUntil, code: 131008, say: "Button at index 0"},
		{name: "offer for a template without one", definition: staticURL, components: offerUntil, code: 132000, say: "limited_time_offer"},

		{name: "carousel", definition: fullCards, components: cardsOf(cardOf("0", "10%", ""), cardOf(`"1"`, "20%", ""))},
		{name: "carousel with a card twice", definition: fullCards, components: cardsOf(cardOf("0", "10%", ""), cardOf("0", "20%", "")), code: 100, say: "card_index"},
		{name: "carousel with a card too far", definition: fullCards, components: cardsOf(cardOf("0", "10%", ""), cardOf("2", "20%", "")), code: 100, say: "card_index"},
		{name: "carousel with a card without parameters", definition: fullCards, components: cardsOf(cardOf("0", "10%", ""), `{"card_index":1}`), code: 132012, say: "expected IMAGE"},
		{name: "carousel with a card too long", definition: fullCards, components: cardsOf(cardOf("0", "a\\nb", ""), cardOf("1", "20%", "")), code: 132018, say: "new-line"},

		{name: "products", definition: manyOf, components: products(30)},
		{name: "products too many", definition: manyOf, components: products(31), code: 131009, say: "30"},

		{name: "types of the library", definition: plainBody, types: []string{"TEXT", "AMOUNT"}, components: bodyOf(`{"type":"text","text":"Ada"},{"type":"text","text":"$4"}`)},
		{name: "a word for an amount", definition: plainBody, types: []string{"TEXT", "AMOUNT"}, components: bodyOf(`{"type":"text","text":"Ada"},{"type":"text","text":"much"}`), code: 132012, say: "parameter 2, expected AMOUNT"},
		{name: "a word for a number", definition: plainBody, types: []string{"NUMBER", "TEXT"}, components: bodyOf(`{"type":"text","text":"A1"},{"type":"text","text":"x"}`), code: 132012, say: "NUMBER"},
		{name: "a phone", definition: plainBody, types: []string{"PHONE NUMBER", "EMAIL"}, components: bodyOf(`{"type":"text","text":"+1 555 010 0001"},{"type":"text","text":"a@ex.org"}`)},
		{name: "no phone", definition: plainBody, types: []string{"PHONE NUMBER", "TEXT"}, components: bodyOf(`{"type":"text","text":"call 1"},{"type":"text","text":"x"}`), code: 132012, say: "PHONE NUMBER"},
		{name: "no address", definition: plainBody, types: []string{"TEXT", "EMAIL"}, components: bodyOf(`{"type":"text","text":"x"},{"type":"text","text":"ada"}`), code: 132012, say: "EMAIL"},
		{name: "no date", definition: plainBody, types: []string{"DATE", "TEXT"}, components: bodyOf(`{"type":"text","text":"soon"},{"type":"text","text":"x"}`), code: 132012, say: "DATE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			def, err := Compile(json.RawMessage(tc.definition), tc.named)
			if err != nil {
				t.Fatal(err)
			}
			def.Code, def.Types = tc.auth, tc.types
			expect(t, def.Check(params(t, templateOf(tc.components))), tc.code, tc.say)
		})
	}
}

func TestRenderFollowsNumbersAndCards(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, definition, components string
		want                         Rendered
	}{
		{"numbers in another order", swapped, bodyOf(`{"type":"text","text":"Ada"},{"type":"text","text":"Bob"}`), Rendered{Body: "For Bob from Ada with love"}},
		{"cards", fullCards, cardsOf(cardOf("0", "10%", ""), cardOf("1", "20%", "")), Rendered{Body: "Hi Ada.", Cards: []Rendered{
			{Body: "Save 10% now.", Buttons: []string{"More", "Shop"}}, {Body: "Save 20% now.", Buttons: []string{"More", "Shop"}}}}},
		{"cards in another order", fullCards, cardsOf(cardOf("1", "20%", ""), cardOf("0", "10%", "")), Rendered{Body: "Hi Ada.", Cards: []Rendered{
			{Body: "Save 10% now.", Buttons: []string{"More", "Shop"}}, {Body: "Save 20% now.", Buttons: []string{"More", "Shop"}}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			def, err := Compile(json.RawMessage(tc.definition), false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, def.Render(params(t, templateOf(tc.components)))); diff != "" {
				t.Errorf("rendered (-want +got):\n%s", diff)
			}
		})
	}
}

// Graph takes an object or a list as text too; a text that only looks like one stays a text.
func TestParametersAsText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind, body string
		code             int
		say              string
	}{
		{"contacts", "contacts", `{"contacts":"[{\"name\":{\"formatted_name\":\"Ada L\",\"first_name\":\"Ada\"}}]"}`, 0, ""},
		{"text", "text", `{"text":"{\"body\":\"Hi\"}"}`, 0, ""},
		{"opaque data stays text", "text", `{"text":{"body":"Hi"},"biz_opaque_callback_data":"{\"order\":1}"}`, 0, ""},
		{"no JSON", "contacts", `{"contacts":"[{"}`, 100, "must be an array"},
		{"not deeper down", "contacts", `{"contacts":[{"name":"{\"formatted_name\":\"Ada\"}"}]}`, 100, "must be a JSON object"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			expect(t, Check(tc.kind, params(t, tc.body)), tc.code, tc.say)
		})
	}
}

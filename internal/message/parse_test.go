package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// to puts members into an otherwise good message to Diego.
func to(members string) string {
	return `{"messaging_product":"whatsapp","to":"+14255550150",` + members + `}`
}

func interactive(members string) string {
	return to(`"type":"interactive","interactive":{` + members + `}`)
}

func template(components string) string {
	return to(`"type":"template","template":{"name":"n","language":{"code":"en_US"},"components":[` + components + `]}`)
}

func TestParseDraft(t *testing.T) {
	t.Parallel()
	sent := func(d Draft) Draft {
		if d.To == "" {
			d.To, d.Recipient = "+14255550150", "14255550150"
		}
		return d
	}
	tests := []struct {
		name, in string
		want     Draft
	}{
		{"text", to(`"type":"text","text":{"body":"hi","preview_url":true}`), sent(Draft{Kind: "text"})},
		{"text without type", to(`"text":{"body":"hi"}`), sent(Draft{Kind: "text"})},
		{"null counts as absent", to(`"type":null,"text":{"body":"hi"},"context":null`), sent(Draft{Kind: "text"})},
		{"space around everything", " \n" + to(`"text" : { "body" : "hi" } `) + "\t ", sent(Draft{Kind: "text"})},
		{"escaped member names", `{"messaging\u005fproduct":"whatsapp","t\u006f":"\u002b14255550150","text":{"body":"hi"}}`,
			sent(Draft{Kind: "text"})},
		{"last of repeated members counts", to(`"text":{"body":"hi"},"to":"447700900123"`),
			Draft{Kind: "text", To: "447700900123", Recipient: "447700900123"}},
		{"number without plus", `{"messaging_product":"whatsapp","to":"14255550150","text":{"body":"hi"}}`,
			Draft{Kind: "text", To: "14255550150", Recipient: "14255550150"}},
		{"number with punctuation", `{"messaging_product":"whatsapp","to":" +1 (425) 555-0150 ","text":{"body":"hi"}}`,
			Draft{Kind: "text", To: " +1 (425) 555-0150 ", Recipient: "14255550150"}},
		{"business-scoped user id", `{"messaging_product":"whatsapp","recipient":"GB.88120045511209","text":{"body":"hi"}}`,
			Draft{Kind: "text", To: "GB.88120045511209", Recipient: "GB.88120045511209"}},
		{"parent user id", `{"messaging_product":"whatsapp","recipient":"GB.ENT.9a","text":{"body":"hi"}}`,
			Draft{Kind: "text", To: "GB.ENT.9a", Recipient: "GB.ENT.9a"}},
		{"to wins over recipient", to(`"recipient":"GB.1","text":{"body":"hi"}`), sent(Draft{Kind: "text"})},
		{"empty to leaves recipient", `{"messaging_product":"whatsapp","to":"","recipient":"GB.1","text":{"body":"hi"}}`,
			Draft{Kind: "text", To: "GB.1", Recipient: "GB.1"}},
		{"group", `{"messaging_product":"whatsapp","recipient_type":"group","to":"Y2FwaV9ncm91cA==","text":{"body":"hi"}}`,
			Draft{Kind: "text", To: "Y2FwaV9ncm91cA==", Recipient: "Y2FwaV9ncm91cA==", Group: true}},
		{"quoted reply", to(`"context":{"message_id":"wamid.A="},"text":{"body":"hi"}`), sent(Draft{Kind: "text", ReplyTo: "wamid.A="})},
		{"own opaque data", to(`"biz_opaque_callback_data":"job=88","text":{"body":"hi"}`), sent(Draft{Kind: "text", OwnOpaque: true})},
		{"null opaque data still takes the place", to(`"biz_opaque_callback_data":null,"text":{"body":"hi"}`),
			sent(Draft{Kind: "text", OwnOpaque: true})},
		{"template", to(`"type":"template","template":{"name":"statement","language":{"code":"en_US"},"components":
			[{"type":"body","parameters":[{"type":"text","text":"1000"}]}]}`),
			sent(Draft{Kind: "template", Template: "statement", Language: "en_US", Priority: Bulk})},
		{"template as an answer", to(`"context":{"message_id":"wamid.A="},"type":"template","template":{"name":"t","language":{"code":"de"}}`),
			sent(Draft{Kind: "template", Template: "t", Language: "de", ReplyTo: "wamid.A=", Priority: Reply})},
		{"image by link", to(`"type":"image","image":{"link":"https://example.org/a.jpg","caption":"A"}`), sent(Draft{Kind: "image"})},
		{"image by id", to(`"type":"image","image":{"id":"1"}`), sent(Draft{Kind: "image"})},
		{"video", to(`"type":"video","video":{"link":"HTTP://example.org/a.mp4"}`), sent(Draft{Kind: "video"})},
		{"voice note", to(`"type":"audio","audio":{"id":"1","voice":true}`), sent(Draft{Kind: "audio"})},
		{"document", to(`"type":"document","document":{"id":"1","filename":"q3.pdf","caption":"Q3"}`), sent(Draft{Kind: "document"})},
		{"sticker", to(`"type":"sticker","sticker":{"id":"1"}`), sent(Draft{Kind: "sticker"})},
		{"location", to(`"type":"location","location":{"latitude":-33.9,"longitude":"18.4","name":"Cape Town"}`), sent(Draft{Kind: "location"})},
		{"contacts", to(`"type":"contacts","contacts":[{"name":{"formatted_name":"Ada L","first_name":"Ada"},
			"phones":[{"phone":"+44","type":"HOME"}],"birthday":"1815-12-10","org":{"company":"AE"}}]`), sent(Draft{Kind: "contacts"})},
		{"reaction", to(`"recipient_type":"individual","type":"reaction","reaction":{"message_id":"wamid.A=","emoji":"\uD83D\uDC4D"}`),
			sent(Draft{Kind: "reaction", About: "wamid.A="})},
		{"reaction taken back", to(`"type":"reaction","reaction":{"message_id":"wamid.A=","emoji":""}`),
			sent(Draft{Kind: "reaction", About: "wamid.A="})},
		{"read receipt", `{"messaging_product":"whatsapp","message_id":"wamid.A=","status":"read"}`, Draft{Kind: KindRead, About: "wamid.A="}},
		{"typing indicator", `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.A=","typing_indicator":{"type":"text"}}`,
			Draft{Kind: KindRead, About: "wamid.A=", Typing: true}},
		{"future type passes", to(`"type":"hologram","hologram":[1,{"x":null}]`), sent(Draft{Kind: "hologram"})},
		{"future type without an object passes", to(`"type":"hologram"`), sent(Draft{Kind: "hologram"})},
		{"unknown members pass", to(`"type":"text","text":{"body":"hi","shine":3},"glow":true`), sent(Draft{Kind: "text"})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse([]byte(tt.in))
			if err != nil {
				t.Fatalf("Parse(%s): %v", tt.in, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%s) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

// TestParseInteractive lists every interactive form in a shape Meta takes.
func TestParseInteractive(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"button": `"type":"button","header":{"type":"image","image":{"link":"https://e.org/a.png"}},"body":{"text":"Shall we?"},"footer":{"text":"f"},
			"action":{"buttons":[{"type":"reply","reply":{"id":"y","title":"Yes"}},{"type":"reply","reply":{"id":"n","title":"No"}}]}`,
		"list": `"type":"list","header":{"type":"text","text":"Delivery"},"body":{"text":"Pick"},"action":{"button":"Slots","sections":[
			{"title":"Today","rows":[{"id":"a","title":"14:00","description":"two left"}]},{"title":"Tomorrow","rows":[{"id":"b","title":"09:00"}]}]}`,
		"list with one untitled section": `"type":"list","body":{"text":"Pick"},"action":{"button":"Slots","sections":[{"rows":[{"id":"a","title":"A"}]}]}`,
		"cta_url":                        `"type":"cta_url","body":{"text":"Map"},"action":{"name":"cta_url","parameters":{"display_text":"Map","url":"https://e.org/m"}}`,
		"location request":               `"type":"location_request_message","body":{"text":"Where?"},"action":{"name":"send_location"}`,
		"product":                        `"type":"product","action":{"catalog_id":"5","product_retailer_id":"sku-1"}`,
		"product list": `"type":"product_list","header":{"type":"text","text":"Boots"},"body":{"text":"Pick"},
			"action":{"catalog_id":"5","sections":[{"title":"New","product_items":[{"product_retailer_id":"s"}]}]}`,
		"catalog": `"type":"catalog_message","body":{"text":"All"},"action":{"name":"catalog_message"}`,
		"flow": `"type":"flow","body":{"text":"Two questions"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"6",
			"flow_cta":"Start","flow_action":"navigate","flow_action_payload":{"screen":"Q1","data":{"who":"Ada"}}}}`,
		"flow by name": `"type":"flow","body":{"text":"Two"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_name":"f",
			"flow_cta":"Start","mode":"draft","flow_action":"data_exchange"}}`,
		"address":        `"type":"address_message","body":{"text":"Where to?"},"action":{"name":"address_message","parameters":{"country":"IN"}}`,
		"media carousel": `"type":"carousel","body":{"text":"Trips"},"action":{"cards":[` + card(0, "image") + `,` + card(1, "image") + `]}`,
		"product carousel": `"type":"carousel","body":{"text":"Boots"},"action":{"cards":[
			{"card_index":0,"type":"product","action":{"catalog_id":"5","product_retailer_id":"a"}},
			{"card_index":1,"type":"product","action":{"catalog_id":"5","product_retailer_id":"b"}}]}`,
		"voice call":      `"type":"voice_call","body":{"text":"Call us"},"action":{"name":"voice_call","parameters":{"display_text":"Call"}}`,
		"order details":   `"type":"order_details","action":{"name":"review_and_pay","parameters":{}}`,
		"not known today": `"type":"seance","action":"knock"`,
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d, err := Parse([]byte(interactive(in))); err != nil || d.Kind != KindInteractive || d.Priority != Reply {
				t.Errorf("Parse(%s) = %+v, %v", in, d, err)
			}
		})
	}
}

func card(index int, header string) string {
	return fmt.Sprintf(`{"card_index":%d,"type":"cta_url","header":{"type":%q,%q:{"link":"https://e.org/a"}},"body":{"text":"North"},
		"action":{"name":"cta_url","parameters":{"display_text":"Book","url":"https://e.org/b"}}}`, index, header, header)
}

func TestParseTemplateComponents(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"image header":      `{"type":"header","parameters":[{"type":"image","image":{"id":"9"}}]}`,
		"location header":   `{"type":"header","parameters":[{"type":"location","location":{"latitude":"1","longitude":"2","name":"n","address":"a"}}]}`,
		"currency and date": `{"type":"BODY","parameters":[{"type":"currency","currency":{"fallback_value":"£9","code":"GBP","amount_1000":9900}},{"type":"date_time","date_time":{"fallback_value":"today"}}]}`,
		"named parameter":   `{"type":"body","parameters":[{"type":"text","parameter_name":"first","text":"Ada"}]}`,
		"buttons":           `{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"9912"}]},{"type":"button","sub_type":"quick_reply","index":1,"parameters":[{"type":"payload","payload":"later"}]}`,
		"coupon":            `{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"SAVE20"}]}`,
		"offer":             `{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer","limited_time_offer":{"expiration_time_ms":1767225599000}}]}`,
		"carousel":          `{"type":"carousel","cards":[{"card_index":0,"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]}]}]}`,
		"flow button":       `{"type":"button","sub_type":"flow","index":"0","parameters":[{"type":"action","action":{"flow_token":"t"}}]}`,
		"lone long body":    `{"type":"body","parameters":[{"type":"text","text":"` + strings.Repeat("x", 32768) + `"}]}`,
		"four spaces":       `{"type":"body","parameters":[{"type":"text","text":"a    b"}]}`,
		"unknown component": `{"type":"tap_target_configuration","parameters":[{"type":"tap_target_configuration","tap_target_configuration":[]}]}`,
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse([]byte(template(in))); err != nil {
				t.Errorf("Parse(%s): %v", in, err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	rows := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"id":"a","title":"A"},`, n), ",")
	}
	button := func(id, title string) string {
		return `{"type":"reply","reply":{"id":"` + id + `","title":"` + title + `"}}`
	}
	buttons := func(list ...string) string {
		return interactive(`"type":"button","body":{"text":"b"},"action":{"buttons":[` + strings.Join(list, ",") + `]}`)
	}
	list := func(sections string) string {
		return interactive(`"type":"list","body":{"text":"b"},"action":{"button":"B","sections":[` + sections + `]}`)
	}
	flow := func(parameters string) string {
		return interactive(`"type":"flow","body":{"text":"b"},"action":{"name":"flow","parameters":{` + parameters + `}}`)
	}
	cards := func(list ...string) string {
		return interactive(`"type":"carousel","body":{"text":"b"},"action":{"cards":[` + strings.Join(list, ",") + `]}`)
	}
	contact := func(card string) string { return to(`"type":"contacts","contacts":[` + card + `]`) }
	text := func(parameter string) string {
		return template(`{"type":"body","parameters":[{"type":"text","text":"` + parameter + `"}]},{"type":"header"}`)
	}
	const cta = `"body":{"text":"b"},"action":{"name":"cta_url","parameters":`

	tests := []struct{ name, in, want string }{
		{"nothing", ``, "message must be a JSON object in UTF-8"},
		{"no JSON", `{"to":`, "message must be a JSON object in UTF-8"},
		{"two values", `{} {}`, "message must be a JSON object in UTF-8"},
		{"byte order mark", "\ufeff{}", "message must be a JSON object in UTF-8"},
		{"no UTF-8", "{\"to\":\"\xff\"}", "message must be a JSON object in UTF-8"},
		{"array", `[{}]`, "message must be a JSON object"},
		{"too large", `{"x":"` + strings.Repeat("a", MaxBytes) + `"}`, "message must be at most 2048000 bytes"},

		{"no product", `{"to":"+14255550150","text":{"body":"hi"}}`, "messaging_product is required"},
		{"other product", `{"messaging_product":"telegram"}`, "messaging_product must be whatsapp"},
		{"names do not fold case", `{"Messaging_Product":"whatsapp"}`, "messaging_product is required"},
		{"no destination", `{"messaging_product":"whatsapp","type":"text","text":{"body":"hi"}}`, badDestination},
		{"empty object but for the product", `{"messaging_product":"whatsapp"}`, badDestination},
		{"empty to", `{"messaging_product":"whatsapp","to":"","text":{"body":"hi"}}`, badDestination},
		{"to is a number", `{"messaging_product":"whatsapp","to":14255550150,"text":{"body":"hi"}}`, badDestination},
		{"to is a word", `{"messaging_product":"whatsapp","to":"Diego","text":{"body":"hi"}}`, badDestination},
		{"to is too short", `{"messaging_product":"whatsapp","to":"+1425","text":{"body":"hi"}}`, badDestination},
		{"to is too long", `{"messaging_product":"whatsapp","to":"+1234567890123456","text":{"body":"hi"}}`, badDestination},
		{"plus inside", `{"messaging_product":"whatsapp","to":"1425+5550150","text":{"body":"hi"}}`, badDestination},
		{"bad to hides a good recipient", `{"messaging_product":"whatsapp","to":"x","recipient":"GB.1","text":{"body":"hi"}}`, badDestination},
		{"bad user id", `{"messaging_product":"whatsapp","recipient":"gb.1","text":{"body":"hi"}}`, badDestination},
		{"message id does not address a text", `{"messaging_product":"whatsapp","message_id":"w","type":"text","text":{"body":"hi"}}`, badDestination},
		{"blank group", `{"messaging_product":"whatsapp","recipient_type":"group","to":" ","text":{"body":"hi"}}`, badDestination},
		{"receipt without message", `{"messaging_product":"whatsapp","status":"read"}`, badDestination},
		{"receipt with empty message", `{"messaging_product":"whatsapp","status":"read","message_id":""}`, badDestination},
		{"typing without message", `{"messaging_product":"whatsapp","typing_indicator":{"type":"text"}}`, badDestination},
		{"receipt without status", `{"messaging_product":"whatsapp","message_id":"w"}`, "status is required"},
		{"other status", `{"messaging_product":"whatsapp","message_id":"w","status":"delivered"}`, "status must be read"},
		{"receipt and message", `{"messaging_product":"whatsapp","message_id":"w","status":"read","type":"text"}`,
			"status cannot be combined with type: a message and a read receipt are two requests"},
		{"typing is no object", `{"messaging_product":"whatsapp","message_id":"w","status":"read","typing_indicator":true}`,
			"typing_indicator must be an object"},
		{"typing without type", `{"messaging_product":"whatsapp","message_id":"w","status":"read","typing_indicator":{}}`,
			"typing_indicator.type is required"},
		{"recipient type", to(`"recipient_type":"crowd","text":{"body":"hi"}`), "recipient_type must be individual or group"},
		{"opaque data", to(`"biz_opaque_callback_data":"` + long(513) + `","text":{"body":"hi"}`),
			"biz_opaque_callback_data must be at most 512 characters"},
		{"opaque data type", to(`"biz_opaque_callback_data":{},"text":{"body":"hi"}`), "biz_opaque_callback_data must be a string"},
		{"context", to(`"context":"wamid.A","text":{"body":"hi"}`), "context must be an object"},
		{"context id", to(`"context":{"message_id":7},"text":{"body":"hi"}`), "context.message_id must be a string"},
		{"type is no string", to(`"type":1`), "type must be a string"},
		{"type is empty", to(`"type":""`), "type must not be empty"},
		{"type is long", to(`"type":"` + long(65) + `"`), "type must be at most 64 characters"},
		{"type read is no message", to(`"type":"read","read":{}`), `type must be a type of message; a read receipt has "status":"read" instead`},
		{"neither type nor text", to(`"template":{"name":"n"}`), "type is required when there is no text"},

		{"text without object", to(`"type":"text"`), "text is required"},
		{"text is a string", to(`"type":"text","text":"hi"`), "text must be an object"},
		{"text without body", to(`"type":"text","text":{}`), "text.body is required"},
		{"empty text", to(`"type":"text","text":{"body":""}`), "text.body must not be empty"},
		{"text body type", to(`"type":"text","text":{"body":7}`), "text.body must be a string"},
		{"long text", to(`"type":"text","text":{"body":"` + long(4097) + `"}`), "text.body must be at most 4096 characters"},
		{"image without source", to(`"type":"image","image":{"caption":"c"}`), "image.id or link is required"},
		{"image with two sources", to(`"type":"image","image":{"id":"1","link":"https://e.org"}`), "image.id and link exclude each other"},
		{"image link", to(`"type":"image","image":{"link":"ftp://e.org/a"}`), "image.link must be an http or https URL"},
		{"image caption", to(`"type":"image","image":{"id":"1","caption":"` + long(1025) + `"}`), "image.caption must be at most 1024 characters"},
		{"audio caption", to(`"type":"audio","audio":{"id":"1","caption":"c"}`), "audio.caption is not allowed on this type"},
		{"sticker caption", to(`"type":"sticker","sticker":{"id":"1","caption":"c"}`), "sticker.caption is not allowed on this type"},
		{"document name", to(`"type":"document","document":{"id":"1","filename":2}`), "document.filename must be a string"},
		{"video id", to(`"type":"video","video":{"id":""}`), "video.id must not be empty"},
		{"no latitude", to(`"type":"location","location":{"longitude":2}`), "location.latitude is required"},
		{"latitude range", to(`"type":"location","location":{"latitude":90.1,"longitude":2}`), "location.latitude must be between -90 and 90"},
		{"longitude form", to(`"type":"location","location":{"latitude":1,"longitude":"east"}`), "location.longitude must be a number"},
		{"no contacts", contact(``), "contacts must have at least 1 element"},
		{"contacts is an object", to(`"type":"contacts","contacts":{}`), "contacts must be an array"},
		{"many contacts", contact(strings.TrimSuffix(strings.Repeat(`{},`, 258), ",")), "contacts must have at most 257 elements"},
		{"contact without name", contact(`{"phones":[]}`), "contacts[0].name is required"},
		{"contact without formatted name", contact(`{"name":{"first_name":"Ada"}}`), "contacts[0].name.formatted_name is required"},
		{"contact without another part", contact(`{"name":{"formatted_name":"Ada"}}`),
			"contacts[0].name must have another part beside formatted_name: first_name, last_name, middle_name, prefix or suffix"},
		{"contact birthday", contact(`{"name":{"formatted_name":"A","first_name":"A"},"birthday":"10.12.1815"}`),
			"contacts[0].birthday must be a date of the form YYYY-MM-DD"},
		{"contact phone", contact(`{"name":{"formatted_name":"A","first_name":"A"},"phones":["+44"]}`), "contacts[0].phones[0] must be an object"},
		{"reaction without message", to(`"type":"reaction","reaction":{"emoji":"x"}`), "reaction.message_id is required"},
		{"reaction without emoji", to(`"type":"reaction","reaction":{"message_id":"w"}`),
			"reaction.emoji is required; an empty string takes the reaction back"},

		{"interactive without type", interactive(`"body":{"text":"b"}`), "interactive.type is required"},
		{"no body", interactive(`"type":"button","action":{}`), "interactive.body is required"},
		{"long body", interactive(`"type":"button","body":{"text":"` + long(1025) + `"},"action":{}`), "interactive.body.text must be at most 1024 characters"},
		{"long list body", interactive(`"type":"list","body":{"text":"` + long(4097) + `"},"action":{}`), "interactive.body.text must be at most 4096 characters"},
		{"long footer", interactive(`"type":"button","body":{"text":"b"},"footer":{"text":"` + long(61) + `"},"action":{}`),
			"interactive.footer.text must be at most 60 characters"},
		{"footer not allowed", interactive(`"type":"location_request_message","body":{"text":"b"},"footer":{"text":"f"},"action":{"name":"send_location"}`),
			"interactive.footer is not allowed on this type"},
		{"long header", interactive(`"type":"button","header":{"type":"text","text":"` + long(61) + `"},"body":{"text":"b"},"action":{}`),
			"interactive.header.text must be at most 60 characters"},
		{"header type", interactive(`"type":"button","header":{"type":"sticker"},"body":{"text":"b"},"action":{}`),
			"interactive.header.type must be text or image or video or document"},
		{"header medium", interactive(`"type":"button","header":{"type":"image","image":{}},"body":{"text":"b"},"action":{}`),
			"interactive.header.image.id or link is required"},
		{"list header", interactive(`"type":"list","header":{"type":"image","image":{"id":"1"}},"body":{"text":"b"},"action":{}`),
			"interactive.header.type must be text"},
		{"header not allowed", interactive(`"type":"product","header":{"type":"text","text":"h"},"action":{}`), "interactive.header is not allowed on this type"},
		{"product list header", interactive(`"type":"product_list","body":{"text":"b"},"action":{}`), "interactive.header is required"},
		{"no action", interactive(`"type":"button","body":{"text":"b"}`), "interactive.action is required"},
		{"no buttons", buttons(), "interactive.action.buttons must have at least 1 element"},
		{"four buttons", buttons(button("a", "A"), button("b", "B"), button("c", "C"), button("d", "D")),
			"interactive.action.buttons must have at most 3 elements"},
		{"button type", buttons(`{"type":"url"}`), "interactive.action.buttons[0].type must be reply"},
		{"button title", buttons(button("a", "A"), button("b", long(21))), "interactive.action.buttons[1].reply.title must be at most 20 characters"},
		{"button title empty", buttons(button("a", "")), "interactive.action.buttons[0].reply.title must not be empty"},
		{"button id", buttons(button(long(257), "A")), "interactive.action.buttons[0].reply.id must be at most 256 characters"},
		{"button id space", buttons(button("a ", "A")), "interactive.action.buttons[0].reply.id must not begin or end with a space"},
		{"same ids", buttons(button("a", "A"), button(`\u0061`, "B")), "interactive.action.buttons[1].reply.id must be unique"},
		{"same titles", buttons(button("a", "A"), button("b", "A")), "interactive.action.buttons[1].reply.title must be unique"},
		{"list button", interactive(`"type":"list","body":{"text":"b"},"action":{"sections":[]}`), "interactive.action.button is required"},
		{"no sections", list(``), "interactive.action.sections must have at least 1 element"},
		{"eleven sections", list(strings.TrimSuffix(strings.Repeat(`{"title":"t","rows":[{"id":"a","title":"A"}]},`, 11), ",")),
			"interactive.action.sections must have at most 10 elements"},
		{"eleven rows", list(`{"title":"s","rows":[` + rows(6) + `]},{"title":"t","rows":[` + rows(5) + `]}`),
			"interactive.action.sections must have at most 10 rows in total"},
		{"untitled section of two", list(`{"title":"s","rows":[` + rows(1) + `]},{"rows":[` + rows(1) + `]}`),
			"interactive.action.sections[1].title is required"},
		{"section title", list(`{"title":"` + long(25) + `","rows":[` + rows(1) + `]}`), "interactive.action.sections[0].title must be at most 24 characters"},
		{"no rows", list(`{"rows":[]}`), "interactive.action.sections[0].rows must have at least 1 element"},
		{"row id", list(`{"rows":[{"id":"` + long(201) + `","title":"A"}]}`), "interactive.action.sections[0].rows[0].id must be at most 200 characters"},
		{"row title", list(`{"rows":[{"id":"a","title":"` + long(25) + `"}]}`), "interactive.action.sections[0].rows[0].title must be at most 24 characters"},
		{"row text", list(`{"rows":[{"id":"a","title":"A","description":"` + long(73) + `"}]}`),
			"interactive.action.sections[0].rows[0].description must be at most 72 characters"},
		{"link button name", interactive(`"type":"cta_url","body":{"text":"b"},"action":{"name":"x"}`), "interactive.action.name must be cta_url"},
		{"link button text", interactive(`"type":"cta_url",` + cta + `{"display_text":"` + long(21) + `","url":"https://e.org"}}`),
			"interactive.action.parameters.display_text must be at most 20 characters"},
		{"link button URL", interactive(`"type":"cta_url",` + cta + `{"display_text":"d","url":"e.org"}}`),
			"interactive.action.parameters.url must be an http or https URL"},
		{"location request", interactive(`"type":"location_request_message","body":{"text":"b"},"action":{"name":"x"}`),
			"interactive.action.name must be send_location"},
		{"product", interactive(`"type":"product","action":{"catalog_id":"5"}`), "interactive.action.product_retailer_id is required"},
		{"thirty-one products", interactive(`"type":"product_list","header":{"type":"text","text":"h"},"body":{"text":"b"},"action":{"catalog_id":"5",
			"sections":[{"product_items":[` + strings.TrimSuffix(strings.Repeat(`{"product_retailer_id":"a"},`, 31), ",") + `]}]}`),
			"interactive.action.sections must have at most 30 product_items in total"},
		{"catalog", interactive(`"type":"catalog_message","body":{"text":"b"},"action":{}`), "interactive.action.name is required"},
		{"address", interactive(`"type":"address_message","body":{"text":"b"},"action":{"name":"address_message","parameters":{}}`),
			"interactive.action.parameters.country is required"},
		{"flow version", flow(`"flow_id":"1","flow_cta":"c"`), "interactive.action.parameters.flow_message_version is required"},
		{"flow without id", flow(`"flow_message_version":"3","flow_cta":"c"`), "interactive.action.parameters.flow_id or flow_name is required"},
		{"flow with id and name", flow(`"flow_message_version":"3","flow_cta":"c","flow_id":"1","flow_name":"n"`),
			"interactive.action.parameters.flow_id and flow_name exclude each other"},
		{"flow button", flow(`"flow_message_version":"3","flow_id":"1","flow_cta":"` + long(31) + `"`),
			"interactive.action.parameters.flow_cta must be at most 30 characters"},
		{"flow mode", flow(`"flow_message_version":"3","flow_id":"1","flow_cta":"c","mode":"live"`),
			"interactive.action.parameters.mode must be draft or published"},
		{"flow action", flow(`"flow_message_version":"3","flow_id":"1","flow_cta":"c","flow_action":"go"`),
			"interactive.action.parameters.flow_action must be navigate or data_exchange"},
		{"flow payload", flow(`"flow_message_version":"3","flow_id":"1","flow_cta":"c","flow_action":"data_exchange","flow_action_payload":{}`),
			"interactive.action.parameters.flow_action_payload is only allowed when flow_action is navigate"},
		{"flow data", flow(`"flow_message_version":"3","flow_id":"1","flow_cta":"c","flow_action_payload":{"data":{}}`),
			"interactive.action.parameters.flow_action_payload.data must not be empty"},
		{"one card", cards(card(0, "image")), "interactive.action.cards must have at least 2 elements"},
		{"card index", cards(card(0, "image"), card(10, "image")), "interactive.action.cards[1].card_index must be a whole number from 0 to 9"},
		{"card headers differ", cards(card(0, "image"), card(1, "video")), "interactive.action.cards[1].header.type must be the same on every card"},
		{"card header", cards(card(0, "document"), card(1, "document")), "interactive.action.cards[0].header.type must be image or video"},
		{"product card", cards(`{"card_index":0,"type":"product","action":{"catalog_id":"1"}}`, card(1, "image")),
			"interactive.action.cards[0].action.product_retailer_id is required"},

		{"template without name", to(`"type":"template","template":{"language":{"code":"en"}}`), "template.name is required"},
		{"template name", to(`"type":"template","template":{"name":"` + long(513) + `","language":{"code":"en"}}`), "template.name must be at most 512 characters"},
		{"template without language", to(`"type":"template","template":{"name":"n"}`), "template.language is required"},
		{"template language code", to(`"type":"template","template":{"name":"n","language":{}}`), "template.language.code is required"},
		{"template policy", to(`"type":"template","template":{"name":"n","language":{"code":"en","policy":"fallback"}}`),
			"template.language.policy must be deterministic"},
		{"components", to(`"type":"template","template":{"name":"n","language":{"code":"en"},"components":{}}`), "template.components must be an array"},
		{"component type", template(`{}`), "template.components[0].type is required"},
		{"button sub type", template(`{"type":"button","index":0}`), "template.components[0].sub_type is required"},
		{"button index", template(`{"type":"button","sub_type":"url","index":"x"}`), "template.components[0].index must be a number"},
		{"button index range", template(`{"type":"button","sub_type":"url","index":10}`), "template.components[0].index must be a whole number from 0 to 9"},
		{"parameters", template(`{"type":"body","parameters":{}}`), "template.components[0].parameters must be an array"},
		{"empty parameter", text(``), "template.components[0].parameters[0].text must not be empty"},
		{"long parameter", text(long(1025)), "template.components[0].parameters[0].text must be at most 1024 characters"},
		{"line break", text(`a\nb`), "template.components[0].parameters[0].text must not contain line breaks, tabs or more than 4 spaces in a row"},
		{"wide gap", text(`a     b`), "template.components[0].parameters[0].text must not contain line breaks, tabs or more than 4 spaces in a row"},
		{"long header parameter", template(`{"type":"header","parameters":[{"type":"text","text":"` + long(61) + `"}]}`),
			"template.components[0].parameters[0].text must be at most 60 characters"},
		{"currency", template(`{"type":"body","parameters":[{"type":"currency","currency":{"fallback_value":"9","code":"GBP"}}]}`),
			"template.components[0].parameters[0].currency.amount_1000 is required"},
		{"date", template(`{"type":"body","parameters":[{"type":"date_time","date_time":{}}]}`),
			"template.components[0].parameters[0].date_time.fallback_value is required"},
		{"header image", template(`{"type":"header","parameters":[{"type":"image","image":{}}]}`), "template.components[0].parameters[0].image.id or link is required"},
		{"coupon", template(`{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"` + long(21) + `"}]}`),
			"template.components[0].parameters[0].coupon_code must be at most 20 characters"},
		{"offer", template(`{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer","limited_time_offer":{}}]}`),
			"template.components[0].parameters[0].limited_time_offer.expiration_time_ms is required"},
		{"carousel cards", template(`{"type":"carousel"}`), "template.components[0].cards is required"},
		{"carousel card", template(`{"type":"carousel","cards":[{"card_index":0}]}`), "template.components[0].cards[0].components is required"},
		{"carousel within a carousel", template(`{"type":"carousel","cards":[{"card_index":0,"components":[{"type":"carousel","cards":[]}]}]}`),
			"template.components[0].cards[0].components[0].type must not be carousel within a card"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tt.in))
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("Parse: got %v, want a fault", err)
			}
			if f.Kind != fault.InvalidParameters || f.Message != tt.want {
				t.Errorf("Parse:\n got %s %q\nwant %s %q", f.Kind, f.Message, fault.InvalidParameters, tt.want)
			}
		})
	}
}

func TestParseLengthsCountCharacters(t *testing.T) {
	t.Parallel()
	for name, char := range map[string]string{"ascii": "a", "two bytes": "é", "four bytes": "👍", "escape": `\n`, "escaped": `\u00e9`,
		"escaped pair": `\ud83d\udc4d`, "lone surrogate": `\ud83d`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := func(n int) []byte { return []byte(to(`"text":{"body":"` + strings.Repeat(char, n) + `"}`)) }
			if _, err := Parse(body(4096)); err != nil {
				t.Errorf("4096 characters: %v", err)
			}
			if _, err := Parse(body(4097)); err == nil {
				t.Error("4097 characters: accepted")
			}
		})
	}
}

func TestParseKeepsNoReference(t *testing.T) {
	t.Parallel()
	raw := []byte(to(`"context":{"message_id":"wamid.A="},"type":"template","template":{"name":"t","language":{"code":"de"}}`))
	got, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%+v", got)
	clear(raw)
	if after := fmt.Sprintf("%+v", got); after != want {
		t.Errorf("the draft changed with the input: %s, was %s", after, want)
	}
}

// FuzzParse holds Parse against encoding/json: what passes is an object with the members the draft names, and our id can be
// added to it without changing anything else.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		to(`"text":{"body":"hi"}`), to(`"type":"reaction","reaction":{"message_id":"wamid.A=","emoji":"\uD83D\uDC4B"}`),
		`{"messaging_product":"whatsapp","status":"read","message_id":"wamid.A=","typing_indicator":{"type":"text"}}`,
		template(`{"type":"carousel","cards":[{"card_index":0,"components":[]}]}`), template(`{"type":"button","sub_type":"url","index":"0"}`),
		interactive(`"type":"list","body":{"text":"Pick"},"action":{"button":"Slots","sections":[{"rows":[{"id":"a","title":"A"}]}]}`),
		to(`"type":"contacts","contacts":[{"name":{"formatted_name":"Ada L","first_name":"Ada"}}]`), `{}`, ` [ ] `, `{"":{"":[[]]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Parse(raw)
		if err != nil {
			if !fault.Is(err, fault.InvalidParameters) {
				t.Fatalf("got %v, want invalid parameters", err)
			}
			return
		}
		want := decode(t, raw)
		if kind, ok := want["type"].(string); ok && kind != d.Kind && d.Kind != KindRead {
			t.Errorf("kind %q, want %q", d.Kind, kind)
		}
		if d.Kind != KindRead && d.Recipient == "" {
			t.Error("a message without recipient was accepted")
		}
		if _, taken := want["biz_opaque_callback_data"]; taken != d.OwnOpaque {
			t.Errorf("OwnOpaque is %v", d.OwnOpaque)
		}
		if d.OwnOpaque {
			return
		}
		const id = "0190b0a5-1111-7000-8000-000000000001"
		got := decode(t, WithOpaque(raw, id))
		want = maps.Clone(want)
		want["biz_opaque_callback_data"] = id
		if !reflect.DeepEqual(got, want) {
			t.Errorf("WithOpaque changed the message:\n got %v\nwant %v", got, want)
		}
	})
}

func decode(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("not an object: %v: %q", err, raw)
	}
	return m
}

func BenchmarkParse(b *testing.B) {
	for name, raw := range map[string]string{
		"text":     to(`"recipient_type":"individual","type":"text","text":{"preview_url":false,"body":"Your parcel is on its way."}`),
		"template": template(`{"type":"body","parameters":[{"type":"text","text":"Ada"},{"type":"text","text":"14:00"}]}`),
		"list": interactive(`"type":"list","body":{"text":"Pick"},"action":{"button":"Slots","sections":[{"rows":[` +
			strings.TrimSuffix(strings.Repeat(`{"id":"a","title":"A","description":"two left"},`, 10), ",") + `]}]}`),
	} {
		b.Run(name, func(b *testing.B) {
			in := []byte(raw)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

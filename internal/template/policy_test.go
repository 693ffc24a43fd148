package template

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// says returns a good template of a category whose body is the text.
func says(category Category, text string) string {
	return fmt.Sprintf(`{"name":"news","language":"en","category":%q,"components":[{"type":"BODY","text":%q}]}`, category, text)
}

// TestReasonsOfRejection has a row for each reason for which, according to AWS's guide and Meta's list behind it, templates are
// rejected. What follows from the definition alone is certain; what a reviewer judges is told as a doubt, with Meta's word for it.
func TestReasonsOfRejection(t *testing.T) {
	t.Parallel()
	existing := []*Template{parsed(t, says(Utility, "Your parcel has arrived."), "parcel")}
	for _, tc := range []struct {
		reason     string // in the guide's or Meta's order
		definition string
		certain    bool
		word, text string
	}{
		// The guide: variable parameters contain special characters, such as #, $ or %.
		{"# in a variable", says(Utility, "Your order {{#1}} has left us today."), true, "", "special character"},
		{"$ in a variable", says(Utility, "You have paid {{$1}} for your order."), true, "", "special character"},
		{"% in a variable", says(Utility, "You have used {{1%}} of your data."), true, "", "special character"},
		// The guide: variable parameters are missing, have mismatched curly braces, or are not sequential.
		{"variable missing", says(Utility, "Your order {{}} has left us today."), true, "", "without a number or name"},
		{"braces that do not match", says(Utility, "Your order {{1} has left us today."), true, "", "do not match"},
		{"numbers with a gap", says(Utility, "Hi {{1}}, your order number {{3}} has left our shop."), true, "", "no variable {{2}}"},
		// The guide: content violates the WhatsApp Commerce Policy.
		{"games for money", says(Marketing, "Play poker with your friends tonight."), false, reasonAbusive, "gambling and games"},
		{"alcohol", says(Marketing, "Our new whisky is here."), false, reasonAbusive, "alcohol"},
		{"tobacco", says(Marketing, "Vaping was never so cheap."), false, reasonAbusive, "tobacco"},
		{"drugs", says(Marketing, "Order prescription drugs without waiting."), false, reasonAbusive, "drugs"},
		{"supplements", says(Marketing, "Try our weight-loss pills."), false, reasonAbusive, "supplements"},
		{"weapons", says(Marketing, "Ammunition is back in our shop."), false, reasonAbusive, "weapons"},
		{"animals", says(Marketing, "We have puppies for sale."), false, reasonAbusive, "live animals"},
		{"adult services", says(Marketing, "Meet our escorts."), false, reasonAbusive, "adult products"},
		{"dating", says(Marketing, "The best dating app in town."), false, reasonAbusive, "dating"},
		{"body parts", says(Marketing, "We sell blood to clinics and sell blood to you."), false, reasonAbusive, "body parts"},
		{"currency", says(Marketing, "Buy Bitcoin with us."), false, reasonAbusive, "currency"},
		{"high-risk loans", says(Marketing, "Payday loans within the hour."), false, reasonAbusive, "finance"},
		{"counterfeits", says(Marketing, "Replica watches like the real ones."), false, reasonAbusive, "counterfeits"},
		// The guide: content violates the WhatsApp Business Policy. Meta: do not request sensitive identifiers, nor documents with them.
		{"card number", says(Utility, "Please reply with your full credit card number to go on."), false, reasonAbusive, "card or account number"},
		{"account number", says(Utility, "Kindly send us your bank account number."), false, reasonAbusive, "card or account number"},
		{"national identifier", says(Utility, "To verify your order, tell us your Social Security Number."), false, reasonAbusive, "national identifier"},
		{"document with an identifier", says(Utility, "Please upload a photo of your passport here."), false, reasonAbusive, "a document"},
		// Meta: content is potentially abusive or threatening.
		{"threat of legal action", says(Utility, "Pay now or we shall take legal action."), false, reasonAbusive, "threat"},
		{"threat of exposure", says(Utility, "Pay today, or we tell your family about it."), false, reasonAbusive, "threat"},
		{"insult", says(Utility, "Only an idiot would not pay."), false, reasonAbusive, "insult"},
		// Meta: the content is meant to deceive.
		{"prize nobody asked for", says(Marketing, "Congratulations! You have won a car."), false, reasonScam, "deceive"},
		// The guide: misclassifying templates may result in rejection.
		{"promotion in a utility template", says(Utility, "Get 20% off your next order."), false, reasonPromo, "advertises"},
		{"coupon button in a utility template", `{"name":"news","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Thank you for your order."},` +
			`{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":"HALF"}]}]}`, false, reasonPromo, "COPY_CODE"},
		{"limited-time offer in a utility template", strings.Replace(offer, "MARKETING", "UTILITY", 1), true, "", "only for MARKETING"},
		{"one-time code in another category", says(Utility, "Use the verification code {{1}} to go on with it."), false, reasonCategory, "AUTHENTICATION"},
		// Meta: the language does not match the content.
		{"another language", strings.Replace(says(Utility, "Your parcel has arrived at the shop."), `"en"`, `"ru"`, 1), false, reasonMismatch, "language ru"},
		{"other letters", strings.Replace(says(Utility, "Ваша посылка прибыла в магазин."), `"en"`, `"en_GB"`, 1), false, reasonMismatch, "language en_GB"},
		// Meta: a duplicate of an existing template, with the same wording in body and footer.
		{"copy", says(Utility, " Your  parcel has arrived."), false, "", "of the template parcel"},
		{"copy with another button", `{"name":"news","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Your parcel has arrived."},` +
			`{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Thanks"}]}]}`, false, "", "of the template parcel"},
		// Meta: the other rules of its form.
		{"variable at the start", says(Utility, "{{1}}, your order has left us."), true, "", "starts with a variable"},
		{"variable at the end", says(Utility, "Your order has left us, dear {{1}}"), true, "", "ends with a variable"},
		{"variables side by side", says(Utility, "Your order has left us, dear {{1}}{{2}}, and will come."), true, "", "side by side"},
		{"too many variables for the text", says(Utility, "Hi {{1}} - {{2}} - {{3}}."), true, "", "3 variables in 1 words"},
		{"shortened link", says(Utility, "See https://bit.ly/3x for your order."), false, "", "shortened"},
		{"link to WhatsApp", `{"name":"news","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Thank you for your order."},` +
			`{"type":"BUTTONS","buttons":[{"type":"URL","text":"Chat","url":"https://wa.me/15550100001"}]}]}`, true, "", "WhatsApp itself"},
		{"no sample of a variable", says(Utility, "Your order {{1}} has left us today."), false, "", "no body_text"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Parallel()
			draft := parsed(t, tc.definition, "")
			problems := append(Lint([]byte(tc.definition)), Duplicate(draft, existing)...)
			i := slices.IndexFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, tc.text) })
			if i < 0 {
				t.Fatalf("problems %s, want … %s …", Tell(problems), tc.text)
			}
			if p := problems[i]; p.Certain != tc.certain || p.Reason != tc.word || p.Mend == "" || p.Member == "" {
				t.Errorf("problem %+v, want certain %v, reason %q, a member, and how to mend it", p, tc.certain, tc.word)
			}
			if certain := Certain(problems); !tc.certain && len(certain) > 0 {
				t.Errorf("for certain: %s", Tell(certain))
			}
		})
	}
}

// What is allowed is not suspected.
func TestInnocent(t *testing.T) {
	t.Parallel()
	for _, definition := range []string{
		says(Utility, "Please confirm the last 4 digits of your card number."),
		says(Utility, "Never share your card number or PIN with anyone."),
		says(Utility, "We will not ask you to send your passport."),
		says(Utility, "Please do not give your account number to callers."),
		says(Utility, "Your parcel is at the winery of Mr. Gunner, Alphabet Street."),
		says(Utility, "Your statement for the account is ready. Thank you."),
		says(Marketing, "Get 20% off your next order."),
		strings.Replace(says(Utility, "Посылка ждёт вас в магазине Example Store."), `"en"`, `"ru"`, 1),
		strings.Replace(says(Utility, "Vaša porudžbina je spremna."), `"en"`, `"sr"`, 1),
		strings.Replace(says(Utility, "OK!"), `"en"`, `"ru"`, 1),
	} {
		if problems := Lint([]byte(definition)); len(problems) > 0 {
			t.Errorf("%s: %s", definition, Tell(problems))
		}
	}
}

func TestNoDuplicate(t *testing.T) {
	t.Parallel()
	const text = "Your parcel has arrived."
	draft := parsed(t, says(Utility, text), "")
	rejected, translation, code := parsed(t, says(Utility, text), "parcel"), parsed(t, says(Utility, text), draft.Name), parsed(t, says(Authentication, text), "code")
	rejected.Status, translation.Language = Rejected, "en_GB"
	footer := parsed(t, says(Utility, text), "footer")
	footer.Footer = "Demo"
	for name, other := range map[string]*Template{"rejected": rejected, "translation": translation, "one-time password": code, "another footer": footer,
		"another text": parsed(t, says(Utility, "Your parcel is lost."), "lost")} {
		if problems := Duplicate(draft, []*Template{other}); len(problems) > 0 {
			t.Errorf("%s: %s", name, Tell(problems))
		}
	}
}

// parsed reads a definition and names it, unless name is "".
func parsed(t *testing.T, definition, name string) *Template {
	t.Helper()
	made, err := Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		made.Name = name
	}
	return &made
}

package template

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Meta's words for why a reviewer rejected a template (rejected_reason), of those that its content alone can bring about.
const (
	reasonAbusive  = "ABUSIVE_CONTENT"
	reasonScam     = "SCAM"
	reasonPromo    = "PROMOTIONAL"
	reasonCategory = "INCORRECT_CATEGORY"
	reasonMismatch = "TAG_CONTENT_MISMATCH"
)

// rule is a kind of content: the reason reviewers give for it, the words that tell, what is wrong with it and how to mend it.
type rule struct {
	reason     string
	words      func() *regexp.Regexp
	text, mend string
}

// policy is content that WhatsApp's policies do not allow in any template. Reviewers judge by meaning, in every language; the
// words here, which are English, only tell what they will look at. Nothing is refused because of them.
var policy = []rule{
	{reasonAbusive, phrases(`legal (action|proceedings|notice)`, `take (you|this|the matter) to court`, `(sue|prosecute|arrest) you`, `you will be (sued|arrested|prosecuted)`,
		`file (a|the) (lawsuit|case|complaint) against you`, `report(ed)? (you )?to (the )?(police|credit bureaus?|your employer)`,
		`(publicly|public) (shame|expose)`, `(tell|inform|call|contact|notify) (all )?your (family|relatives|friends|contacts|employer|boss|neighbou?rs)`,
		`(seize|repossess) your`, `(visit|come to) your (home|house|workplace|office) (to|and) (collect|recover)`, `blacklist(ed)?`, `last warning`, `or else`,
		`defaulters?`, `shame on you`, `idiots?`, `stupid`),
		"may read as a threat or an insult: reviewers reject threats of legal action or of exposure", "say what is due and how to settle it, without a threat"},
	{reasonScam, phrases(`you( have|'ve)? (just )?won`, `congratulations,? you`, `claim your (prize|reward|gift|cash)`, `lottery`, `lucky (draw|winner)`, `guaranteed (income|profits?|returns?|loan)`,
		`double your (money|investment|income)`, `get rich`, `earn (money )?from home`, `risk[- ]free (investment|profit)`, `forward this (message )?to`,
		`your account will be (blocked|suspended|closed|deactivated)`, `inheritance`),
		"reads like what is used to deceive people", "say plainly who you are and what the message is about"},

	// What the WhatsApp Commerce Policy and Business Policy do not let businesses trade.
	commerce("gambling and games for money", `casinos?`, `bet(s|ting)`, `gambl(e|ing)`, `jackpots?`, `poker`, `rummy`, `roulette`, `slot machines?`, `sportsbook`,
		`real[- ]money (games?|gaming)`, `play (and|&|to) win`, `fantasy (cricket|sports|league)`, `spin (the wheel|(and|&|to) win)`, `scratch cards?`, `bingo`, `sweepstakes?`),
	commerce("alcohol", `alcohol(ic)?`, `beers?`, `whisk(e)?y`, `vodka`, `liquor`, `champagne`, `wines?`, `tequila`),
	commerce("tobacco", `tobacco`, `cigarettes?`, `e-?cigarettes?`, `cigars?`, `vap(e|es|ing)`, `hookah`, `nicotine`),
	commerce("drugs", `cannabis`, `marijuana`, `cbd`, `weed`, `cocaine`, `opioids?`, `steroids?`, `prescription (drugs?|medicines?|medication)`, `viagra`, `cialis`),
	commerce("supplements", `weight[- ]loss (pills?|supplements?)`, `diet pills?`, `fat burners?`, `anabolic`, `hgh`),
	commerce("weapons", `firearms?`, `ammunition`, `ammo`, `guns?`, `rifles?`, `pistols?`, `explosives?`, `fireworks`, `pepper spray`),
	commerce("live animals", `pupp(y|ies) for sale`, `kittens? for sale`, `live (animals?|chickens?|cattle|fish)`, `ivory`),
	commerce("adult products and services", `escorts?`, `porn(ography)?`, `sex toys?`, `adult (toys?|entertainment|services)`, `strip club`, `xxx`),
	commerce("dating services", `dating (app|site|service)s?`, `meet (hot )?singles`, `hook-?ups?`),
	commerce("body parts and fluids", `human organs?`, `(buy|sell|donate)( a)? kidneys?`, `(buy|sell) blood`, `human hair for sale`),
	commerce("real, virtual or fake currency", `bitcoins?`, `crypto(currency|currencies)?`, `forex`, `binary options`, `initial coin offering`, `nfts?`),
	commerce("high-risk finance", `payday loans?`, `cash advance`, `instant loans?`, `multi-?level marketing`, `mlm`, `pyramid scheme`, `bail bonds?`),
	commerce("counterfeits and stolen digital goods", `replica (watch(es)?|bags?|shoes)`, `first[- ]copy`, `counterfeit`, `cracked software`, `free netflix`, `iptv`),
}

// commerce is the rule about a kind of goods.
func commerce(kind string, words ...string) rule {
	return rule{reasonAbusive, phrases(words...), "mentions " + kind + ", which the WhatsApp Commerce Policy and Business Policy restrict",
		"leave it out unless you are sure that the policy allows it"}
}

// phrases matches any of the phrases as whole words, in any case and over any white space.
func phrases(list ...string) func() *regexp.Regexp {
	return lazily(`(?i)(?:^|[^\pL\pN])(?:` + strings.ReplaceAll(strings.Join(list, "|"), " ", `\s+`) + `)(?:$|[^\pL\pN])`)
}

// lazily compiles an expression when it is needed first: together these take ten milliseconds, and most commands check no template.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

var (
	// A request, and not far behind it in the same sentence what WhatsApp's business policy forbids to ask people for.
	request = lazily(`(?i)(?:^|[^\pL])((?:send|share|give|provide|enter|submit|type|tell|reply|respond|confirm|verify|update|upload|message|e-?mail|text|what\s+is|what's)\b[^.!?\n]{0,80}?\b` +
		`(?:card\s+(?:number|no|details|pin)|(?:bank\s+)?account\s+(?:number|details)|iban|cvv2?|cvc|atm\s+pin|upi\s+pin|social\s+security\s+(?:number|no)|ssn|` +
		`national\s+(?:id|identity|identification)(?:\s+(?:card|number))?|(?:identity|identification)\s+(?:card|number|document)|id\s+card|government[- ]issued\s+id|passports?|driver'?s?\s+licen[cs]e|driving\s+licen[cs]e|aadhaa?r|pan\s+(?:card|number)|` +
		`tax\s+(?:id|identification)(?:\s+number)?|birth\s+certificate|bank\s+statements?)(?:$|[^\pL\pN]))`)
	// Part of an identifier may be asked for.
	partial = lazily(`(?i)\b(?:last|first|final)\s+(?:\d|two|three|four|five|six)\b|\bending\s+(?:in|with)\b|\bmasked\b`)
	// A warning not to give it away is none.
	negated = lazily(`(?i)(?:\bnever|\bnot|n't|n’t|\bno\s+one|\bnobody)(?:\s+[\pL']+){0,3}\s*$`)
)

// asksForIdentifiers reports whether a text asks people for identifiers in full, or for documents that hold them.
func asksForIdentifiers(s string) bool {
	for _, at := range request().FindAllStringSubmatchIndex(s, -1) {
		if !partial().MatchString(s[at[2]:at[3]]) && !negated().MatchString(s[:at[2]]) {
			return true
		}
	}
	return false
}

var (
	selling = phrases(`\d+\s*% off`, `\{\{\w+\}\}\s*% off`, `discounts?`, `coupons?`, `promo(tion|tional)?( code)?`, `special (offers?|deals?|price)`, `limited[- ]time`, `best deals?`,
		`buy (now|one|1)`, `shop now`, `order now`, `on sale`, `flash sale`, `clearance`, `black friday`, `free (gift|trial|shipping)`, `new (arrivals?|collection)`, `exclusive (offers?|deals?)`,
		`don't miss`, `hurry`, `upgrade now`, `refer a friend`, `cashback`)
	passcode = phrases(`otp`, `one[- ]time (code|pin|pass(word|code)?)`, `(verification|authentication|login|log[- ]in|sign[- ]in|security|confirmation) (code|pin)`, `passcode`)
)

// meaning checks a text for what reviewers reject: what no template may say, and what templates of its category may not.
func (l *linter) meaning(v value) {
	s := v.str()
	for i := range policy {
		if rule := &policy[i]; rule.words().MatchString(s) {
			l.suspect(v, rule.reason, rule.text, rule.mend)
		}
	}
	if asksForIdentifiers(s) {
		l.suspect(v, reasonAbusive, "asks for a card or account number, a national identifier or a document that shows one, which the WhatsApp Business Policy does not allow",
			"ask for the last four digits at most, or lead to a page of your own")
	}
	if shortened().MatchString(s) {
		l.suspect(v, "", "has a shortened address, which hides where it leads", "write the address of the page itself")
	}
	switch {
	case l.category == Utility && selling().MatchString(s):
		l.suspect(v, reasonPromo, "advertises, which UTILITY templates must not", "leave the offer out, or make the category MARKETING")
	case (l.category == Utility || l.category == Marketing) && passcode().MatchString(s) && len(scan(s).variables) > 0:
		l.suspect(v, reasonCategory, "seems to carry a one-time code, which only AUTHENTICATION templates may", "make the category AUTHENTICATION")
	}
}

var shortened = lazily(`(?i)(?:^|[^\pL\pN.-])(?:` + strings.ReplaceAll(strings.Join(shorteners, "|"), ".", `\.`) + `)/`)

// sellingButtons are those that belong to advertising.
var sellingButtons = []string{"COPY_CODE", "CATALOG", "MPM", "SPM"}

// intent checks whether a button fits the category.
func (l *linter) intent(b value, kind string) {
	if l.category == Utility && slices.Contains(sellingButtons, kind) {
		l.suspect(b, reasonPromo, "is a "+kind+" button, which belongs to advertising", "remove it, or make the category MARKETING")
	}
}

// scripts are those in which languages are written that do not use Latin letters. Serbian and Uzbek use two.
var scripts = map[string][]*unicode.RangeTable{
	"ar": {unicode.Arabic}, "fa": {unicode.Arabic}, "ur": {unicode.Arabic}, "ps": {unicode.Arabic}, "prs": {unicode.Arabic}, "he": {unicode.Hebrew},
	"be": {unicode.Cyrillic}, "bg": {unicode.Cyrillic}, "kk": {unicode.Cyrillic}, "ky": {unicode.Cyrillic}, "mk": {unicode.Cyrillic}, "ru": {unicode.Cyrillic}, "uk": {unicode.Cyrillic},
	"sr": {unicode.Cyrillic, unicode.Latin}, "uz": {unicode.Cyrillic, unicode.Latin}, "el": {unicode.Greek}, "ka": {unicode.Georgian},
	"bn": {unicode.Bengali}, "gu": {unicode.Gujarati}, "hi": {unicode.Devanagari}, "mr": {unicode.Devanagari}, "kn": {unicode.Kannada}, "ml": {unicode.Malayalam}, "pa": {unicode.Gurmukhi},
	"si": {unicode.Sinhala}, "ta": {unicode.Tamil}, "te": {unicode.Telugu}, "lo": {unicode.Lao}, "th": {unicode.Thai},
	"zh": {unicode.Han}, "ja": {unicode.Han, unicode.Hiragana, unicode.Katakana}, "ko": {unicode.Hangul},
}

// script checks that a text is written in the letters of its language. A name or two in others is common.
func (l *linter) script(v value) {
	language, _, _ := strings.Cut(l.language, "_")
	if language == "" {
		return
	}
	want := scripts[language]
	if want == nil {
		want = []*unicode.RangeTable{unicode.Latin}
	}
	letters, fitting := 0, 0
	s := v.str()
	for _, one := range slices.Backward(scan(s).variables) { // their names are no text
		s = s[:one.start] + s[one.end:]
	}
	for _, c := range s {
		if unicode.IsLetter(c) {
			letters++
			if unicode.In(c, want...) {
				fitting++
			}
		}
	}
	if letters >= 12 && fitting*3 < letters {
		l.suspect(v, reasonMismatch, "does not seem to be written in the language "+l.language, "translate it, or change the language")
	}
}

package sim

import (
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// country is a calling code and the ISO code its user ids start with.
type country struct{ code, iso string }

// countries is ordered so that the first matching prefix wins. What is missing counts as "ZZ".
var countries = []country{
	{"1", "US"}, {"20", "EG"}, {"212", "MA"}, {"213", "DZ"}, {"225", "CI"}, {"233", "GH"}, {"234", "NG"}, {"254", "KE"}, {"27", "ZA"},
	{"30", "GR"}, {"31", "NL"}, {"32", "BE"}, {"33", "FR"}, {"34", "ES"}, {"351", "PT"}, {"353", "IE"}, {"358", "FI"}, {"36", "HU"},
	{"380", "UA"}, {"39", "IT"}, {"40", "RO"}, {"41", "CH"}, {"420", "CZ"}, {"43", "AT"}, {"44", "GB"}, {"45", "DK"}, {"46", "SE"},
	{"47", "NO"}, {"48", "PL"}, {"49", "DE"}, {"51", "PE"}, {"52", "MX"}, {"54", "AR"}, {"55", "BR"}, {"56", "CL"}, {"57", "CO"},
	{"60", "MY"}, {"61", "AU"}, {"62", "ID"}, {"63", "PH"}, {"64", "NZ"}, {"65", "SG"}, {"66", "TH"}, {"7", "RU"}, {"81", "JP"},
	{"82", "KR"}, {"84", "VN"}, {"852", "HK"}, {"880", "BD"}, {"90", "TR"}, {"91", "IN"}, {"92", "PK"}, {"94", "LK"}, {"964", "IQ"},
	{"965", "KW"}, {"966", "SA"}, {"968", "OM"}, {"971", "AE"}, {"972", "IL"}, {"974", "QA"}, {"977", "NP"},
}

func countryOf(digits string) country {
	for _, c := range countries {
		if strings.HasPrefix(digits, c.code) {
			return c
		}
	}
	return country{"", "ZZ"}
}

// canadian lists the area codes of +1 that are Canada's; Meta's pause of marketing messages is for the others.
const canadian = " 204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 474 506 " +
	"514 519 537 548 568 579 581 584 587 600 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942 "

func isUS(digits string) bool {
	return len(digits) == 11 && digits[0] == '1' && !strings.Contains(canadian, " "+digits[1:4]+" ")
}

// dial turns what a business put into "to" into digits. Punctuation is ignored; without a leading plus a number in national
// form gets the business number's own country code. An international prefix (00) is refused.
func dial(to, business string) (digits string, err *graph.Error) {
	bad := graph.Invalid("Parameter Invalid")
	var b strings.Builder
	plus := false
	for i, r := range strings.TrimSpace(to) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0:
			plus = true
		case strings.ContainsRune("-() .", r):
		default:
			return "", bad
		}
	}
	digits = b.String()
	if code := countryOf(business).code; !plus && national(digits, code) {
		digits = code + strings.TrimPrefix(digits, "0")
	}
	if len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return "", bad
	}
	return digits, nil
}

// national reports whether digits are a number as dialled inside a country: ten digits of the North American plan, or a
// single leading zero elsewhere.
func national(digits, code string) bool {
	if code == "1" {
		return len(digits) == 10 && digits[0] > '1' && digits[3] > '1'
	}
	return len(digits) > 5 && digits[0] == '0' && digits[1] != '0'
}

// canonical returns WhatsApp's own form of a dialled number, which clients see as wa_id and in every webhook. Meta states that
// Brazilian and Mexican prefixes may change this way; the Argentine 9 is what its webhooks carry.
func canonical(digits string) string {
	switch {
	case len(digits) == 13 && strings.HasPrefix(digits, "55") && digits[4] == '9':
		if area, _ := strconv.Atoi(digits[2:4]); area >= 31 {
			return digits[:4] + digits[5:]
		}
	case len(digits) == 12 && strings.HasPrefix(digits, "52"):
		return "521" + digits[2:]
	case len(digits) == 12 && strings.HasPrefix(digits, "54"):
		return "549" + digits[2:]
	}
	return digits
}

// scopedID is the business-scoped id of a user: one per portfolio and user.
func scopedID(portfolio, waID string) string {
	return countryOf(waID).iso + "." + strconv.FormatUint(1e14+hash64(portfolio, waID)%9e14, 10)
}

// humanNumber is the formatted number that phone-number reads show; webhooks have digits only.
func humanNumber(e164 string) string {
	d := strings.TrimPrefix(e164, "+")
	if len(d) == 11 && d[0] == '1' {
		return "+1 " + d[1:4] + "-" + d[4:7] + "-" + d[7:]
	}
	code := countryOf(d).code
	if code == "" || len(d) < len(code)+4 {
		return "+" + d
	}
	return "+" + code + " " + d[len(code):]
}

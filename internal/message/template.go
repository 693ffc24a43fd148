package message

import (
	"bytes"
	"strings"
)

// Limits of template messages, in characters unless said otherwise (Meta).
const (
	maxTemplateName    = 512
	maxTemplateButtons = 10
	maxHeaderParameter = 60
	maxBodyParameter   = 1024
	maxOnlyParameter   = 32_768 // when the body is all there is
	maxCoupon          = 20
	maxSpaces          = 4 // in a row, in a text parameter
)

// templateName reads the name and the language code of a template message.
func templateName(v value) (name, code string) {
	var n, language, c value
	pick(v, field{"name", &n}, field{"language", &language})
	pick(language, field{"code", &c})
	return n.Text(), c.Text()
}

// checkTemplate checks the form of a template message. Whether the parameters fit the template is for whoever knows it.
func checkTemplate(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var name, language, components value
	pick(v, field{"name", &name}, field{"language", &language}, field{"components", &components})
	if p := first(needString("name", name, maxTemplateName), checkLanguage(language).under("language")); p != nil || components == nil {
		return p
	}
	return checkComponents(components, false)
}

func checkLanguage(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var code, policy value
	pick(v, field{"code", &code}, field{"policy", &policy})
	if policy != nil {
		if p := oneOf("policy", policy, "deterministic"); p != nil {
			return p
		}
	}
	return needString("code", code, noText)
}

// checkComponents checks the components of a template, or of one card of its carousel. A card holds no carousel, which also
// bounds the recursion.
func checkComponents(v value, card bool) *problem {
	if p := needArray("components", v, 0, 0); p != nil {
		return p
	}
	bodyMax := maxBodyParameter
	if v.Length() == 1 {
		bodyMax = maxOnlyParameter
	}
	for i, component := range v.Elements() {
		if p := checkComponent(component, bodyMax, card); p != nil {
			return p.at(i).under("components")
		}
	}
	return nil
}

func checkComponent(v value, bodyMax int, card bool) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var kind, subType, index, parameters, cards value
	pick(v, field{"type", &kind}, field{"sub_type", &subType}, field{"index", &index}, field{"parameters", &parameters},
		field{"cards", &cards})
	if p := needString("type", kind, noText); p != nil {
		return p
	}
	textMax := noText
	switch strings.ToLower(kind.Text()) {
	case "header":
		textMax = maxHeaderParameter
	case "body":
		textMax = bodyMax
	case "button":
		if p := first(needString("sub_type", subType, noText), needIndex("index", index, maxTemplateButtons)); p != nil {
			return p
		}
	case "carousel":
		if card {
			return wrong("type", "must not be carousel within a card")
		}
		return checkTemplateCards(cards)
	}
	if parameters == nil {
		return nil
	}
	return checkParameters(parameters, textMax)
}

func checkTemplateCards(v value) *problem {
	if p := needArray("cards", v, 1, maxCards); p != nil {
		return p
	}
	for i, card := range v.Elements() {
		p := needObject("", card)
		if p == nil {
			var index, components value
			pick(card, field{"card_index", &index}, field{"components", &components})
			p = first(needIndex("card_index", index, maxCards), checkComponents(components, true))
		}
		if p != nil {
			return p.at(i).under("cards")
		}
	}
	return nil
}

func checkParameters(v value, textMax int) *problem {
	if p := needArray("parameters", v, 0, 0); p != nil {
		return p
	}
	for i, parameter := range v.Elements() {
		if p := checkParameter(parameter, textMax); p != nil {
			return p.at(i).under("parameters")
		}
	}
	return nil
}

// checkParameter checks one parameter of a component; kinds without rules here pass.
func checkParameter(v value, textMax int) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var kind, content value
	pick(v, field{"type", &kind})
	if p := needString("type", kind, noText); p != nil {
		return p
	}
	name := strings.ToLower(kind.Text())
	pick(v, field{name, &content})
	switch name {
	case "text":
		return first(needString("text", content, textMax), checkSpacing(content))
	case "image", "video", "document":
		return mediaSource(content).under(name)
	case "currency":
		return checkCurrency(content).under(name)
	case "date_time":
		return checkFallback(content).under(name)
	case "location":
		return checkLocation(content).under(name)
	case "coupon_code":
		return needString(name, content, maxCoupon)
	case "payload":
		return maybeString(name, content, noText)
	case "limited_time_offer":
		return checkOffer(content).under(name)
	}
	return nil
}

// checkSpacing applies Meta's rule for the text of parameters: one line, no tabs, no wide gaps.
func checkSpacing(v value) *problem {
	s := v.Chars()
	if bytes.ContainsAny(s, "\n\t") || bytes.Contains(s, []byte("     ")) {
		return wrong("text", "must not contain line breaks, tabs or more than %d spaces in a row", maxSpaces)
	}
	return nil
}

func checkFallback(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var fallback value
	pick(v, field{"fallback_value", &fallback})
	return needString("fallback_value", fallback, noText)
}

func checkCurrency(v value) *problem {
	if p := checkFallback(v); p != nil {
		return p
	}
	var code, amount value
	pick(v, field{"code", &code}, field{"amount_1000", &amount})
	if p := needString("code", code, noText); p != nil {
		return p
	}
	return needNumber("amount_1000", amount)
}

func checkOffer(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var until value
	pick(v, field{"expiration_time_ms", &until})
	return needNumber("expiration_time_ms", until)
}

package message

// Limits of interactive messages, in characters unless said otherwise (Meta).
const (
	maxHeader      = 60
	maxBody        = 1024
	maxListBody    = 4096
	maxFooter      = 60
	maxButtons     = 3
	maxButtonID    = 256
	maxButtonTitle = 20
	maxSections    = 10
	maxRows        = 10
	maxRowID       = 200
	maxRowTitle    = 24
	maxRowText     = 72
	maxProducts    = 30
	maxFlowButton  = 30 // 20 on another of Meta's pages
	minCards       = 2
	maxCards       = 10
	maxCardBody    = 160
)

// headers says what an interactive message may have above its body.
type headers int8

const (
	anyHeader  headers = iota // text, image, video or document
	noHeader                  // none
	textHeader                // text only
	needHeader                // text, and it must be there
)

// form is the shape of one interactive type.
type form struct {
	header   headers
	bodyMax  int
	needBody bool
	footer   bool
	action   func(value) *problem
}

// formOf returns an interactive type's form, and false for types without rules here: those that are tied to calling or
// payments, and those that do not exist yet.
func formOf(kind string) (form, bool) {
	switch kind {
	case "button":
		return form{anyHeader, maxBody, true, true, checkButtons}, true
	case "list":
		return form{textHeader, maxListBody, true, true, checkList}, true
	case "cta_url":
		return form{anyHeader, maxBody, true, true, checkLinkButton}, true
	case "location_request_message":
		return form{noHeader, maxBody, true, false, named("send_location")}, true
	case "product":
		return form{noHeader, maxBody, false, true, checkProduct}, true
	case "product_list":
		return form{needHeader, maxBody, true, true, checkProductList}, true
	case "catalog_message":
		return form{noHeader, maxBody, true, true, named("catalog_message")}, true
	case "flow":
		return form{anyHeader, maxBody, true, true, checkFlow}, true
	case "address_message":
		return form{anyHeader, maxBody, true, true, checkAddress}, true
	case "carousel":
		return form{noHeader, maxBody, true, false, checkCards}, true
	default:
		return form{}, false
	}
}

func checkInteractive(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var kind, header, body, footer, action value
	pick(v, field{"type", &kind}, field{"header", &header}, field{"body", &body}, field{"footer", &footer}, field{"action", &action})
	if p := needString("type", kind, noText); p != nil {
		return p
	}
	f, known := formOf(string(kind.Chars()))
	if !known {
		return nil
	}
	if footer != nil && !f.footer {
		return wrong("footer", "is not allowed on this type")
	}
	if p := first(checkHeader(header, f.header).under("header"), checkBody(body, f.bodyMax, f.needBody).under("body"),
		checkFooter(footer).under("footer"), needObject("action", action)); p != nil {
		return p
	}
	return f.action(action).under("action")
}

func checkHeader(v value, allowed headers) *problem {
	switch {
	case v == nil && allowed == needHeader:
		return wrong("", required)
	case v == nil:
		return nil
	case allowed == noHeader:
		return wrong("", "is not allowed on this type")
	}
	if p := maybeObject("", v); p != nil {
		return p
	}
	var kind, text value
	pick(v, field{"type", &kind}, field{"text", &text})
	if allowed != anyHeader {
		if p := oneOf("type", kind, "text"); p != nil {
			return p
		}
	}
	if p := oneOf("type", kind, "text", "image", "video", "document"); p != nil {
		return p
	}
	if kind.Is("text") {
		return needString("text", text, maxHeader)
	}
	name := kindOf(kind)
	var medium value
	pick(v, field{name, &medium})
	return mediaSource(medium).under(name)
}

func checkBody(v value, limit int, need bool) *problem {
	if v == nil && !need {
		return nil
	}
	if p := needObject("", v); p != nil {
		return p
	}
	var text value
	pick(v, field{"text", &text})
	return needString("text", text, limit)
}

func checkFooter(v value) *problem {
	return checkBody(v, maxFooter, false)
}

// named checks an action that is only a name.
func named(name string) func(value) *problem {
	return func(v value) *problem {
		var got value
		pick(v, field{"name", &got})
		return oneOf("name", got, name)
	}
}

func checkButtons(v value) *problem {
	var buttons value
	pick(v, field{"buttons", &buttons})
	if p := needArray("buttons", buttons, 1, maxButtons); p != nil {
		return p
	}
	var ids, titles unique
	for i, button := range buttons.Elements() {
		if p := checkButton(button, &ids, &titles); p != nil {
			return p.at(i).under("buttons")
		}
	}
	return nil
}

func checkButton(v value, ids, titles *unique) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var kind, reply, id, title value
	pick(v, field{"type", &kind}, field{"reply", &reply})
	if p := first(oneOf("type", kind, "reply"), needObject("reply", reply)); p != nil {
		return p
	}
	pick(reply, field{"id", &id}, field{"title", &title})
	return first(needString("id", id, maxButtonID), trimmed("id", id), ids.add("id", id),
		needString("title", title, maxButtonTitle), titles.add("title", title)).under("reply")
}

// unique remembers the few strings that have to differ from each other.
type unique []string

func (u *unique) add(name string, v value) *problem {
	s := v.Text()
	for _, seen := range *u {
		if seen == s {
			return wrong(name, "must be unique")
		}
	}
	*u = append(*u, s)
	return nil
}

func trimmed(name string, v value) *problem {
	s := v.Chars()
	if len(s) > 0 && (s[0] == ' ' || s[len(s)-1] == ' ') {
		return wrong(name, "must not begin or end with a space")
	}
	return nil
}

func checkList(v value) *problem {
	var button, sections value
	pick(v, field{"button", &button}, field{"sections", &sections})
	if p := needString("button", button, maxButtonTitle); p != nil {
		return p
	}
	return checkSections(sections, "rows", maxRows, checkRow)
}

// checkSections checks sections that hold at most limit items between them. Sections need titles as soon as there are two.
func checkSections(sections value, items string, limit int, check func(value) *problem) *problem {
	if p := needArray("sections", sections, 1, maxSections); p != nil {
		return p
	}
	untitled := sections.Length() == 1
	total := 0
	for i, section := range sections.Elements() {
		p := needObject("", section)
		if p == nil {
			p = checkSection(section, items, untitled, check)
		}
		if p != nil {
			return p.at(i).under("sections")
		}
		var list value
		pick(section, field{items, &list})
		total += list.Length()
	}
	if total > limit {
		return wrong("sections", "must have at most %d %s in total", limit, items)
	}
	return nil
}

func checkSection(v value, items string, untitled bool, check func(value) *problem) *problem {
	var title, list value
	pick(v, field{"title", &title}, field{items, &list})
	if untitled {
		if p := maybeString("title", title, maxRowTitle); p != nil {
			return p
		}
	} else if p := needString("title", title, maxRowTitle); p != nil {
		return p
	}
	if p := needArray(items, list, 1, 0); p != nil {
		return p
	}
	for i, item := range list.Elements() {
		p := needObject("", item)
		if p == nil {
			p = check(item)
		}
		if p != nil {
			return p.at(i).under(items)
		}
	}
	return nil
}

func checkRow(v value) *problem {
	var id, title, description value
	pick(v, field{"id", &id}, field{"title", &title}, field{"description", &description})
	return first(needString("id", id, maxRowID), needString("title", title, maxRowTitle),
		maybeString("description", description, maxRowText))
}

// checkLinkButton checks the action of a message, or of a carousel card, with one button that opens a page.
func checkLinkButton(v value) *problem {
	var parameters, text, url value
	if p := named("cta_url")(v); p != nil {
		return p
	}
	pick(v, field{"parameters", &parameters})
	if p := needObject("parameters", parameters); p != nil {
		return p
	}
	pick(parameters, field{"display_text", &text}, field{"url", &url})
	return first(needString("display_text", text, maxButtonTitle), needURL("url", url)).under("parameters")
}

func checkProduct(v value) *problem {
	var catalog, product value
	pick(v, field{"catalog_id", &catalog}, field{"product_retailer_id", &product})
	return first(needString("catalog_id", catalog, noText), needString("product_retailer_id", product, noText))
}

func checkProductList(v value) *problem {
	var catalog, sections value
	pick(v, field{"catalog_id", &catalog}, field{"sections", &sections})
	if p := needString("catalog_id", catalog, noText); p != nil {
		return p
	}
	return checkSections(sections, "product_items", maxProducts, checkItem)
}

func checkItem(v value) *problem {
	var product value
	pick(v, field{"product_retailer_id", &product})
	return needString("product_retailer_id", product, noText)
}

func checkAddress(v value) *problem {
	if p := named("address_message")(v); p != nil {
		return p
	}
	var parameters, country value
	pick(v, field{"parameters", &parameters})
	if p := needObject("parameters", parameters); p != nil {
		return p
	}
	pick(parameters, field{"country", &country})
	return needString("country", country, noText).under("parameters")
}

func checkFlow(v value) *problem {
	if p := named("flow")(v); p != nil {
		return p
	}
	var parameters value
	pick(v, field{"parameters", &parameters})
	if p := needObject("parameters", parameters); p != nil {
		return p
	}
	return checkFlowParameters(parameters).under("parameters")
}

func checkFlowParameters(v value) *problem {
	var version, id, name, button, mode, action, payload, data value
	pick(v, field{"flow_message_version", &version}, field{"flow_id", &id}, field{"flow_name", &name}, field{"flow_cta", &button},
		field{"mode", &mode}, field{"flow_action", &action}, field{"flow_action_payload", &payload})
	if p := first(needString("flow_message_version", version, noText), needString("flow_cta", button, maxFlowButton)); p != nil {
		return p
	}
	switch {
	case id == nil && name == nil:
		return wrong("flow_id", "or flow_name is required")
	case id != nil && name != nil:
		return wrong("flow_id", "and flow_name exclude each other")
	case mode != nil && !mode.Is("draft") && !mode.Is("published"):
		return wrong("mode", "must be draft or published")
	case action != nil && !action.Is("navigate") && !action.Is("data_exchange"):
		return wrong("flow_action", "must be navigate or data_exchange")
	case payload == nil:
		return nil
	case action.Is("data_exchange"):
		return wrong("flow_action_payload", "is only allowed when flow_action is navigate")
	}
	if p := maybeObject("flow_action_payload", payload); p != nil {
		return p
	}
	pick(payload, field{"data", &data})
	if data.IsObject() && data.Length() == 0 {
		return wrong("data", "must not be empty").under("flow_action_payload")
	}
	return nil
}

func checkCards(v value) *problem {
	var cards value
	pick(v, field{"cards", &cards})
	if p := needArray("cards", cards, minCards, maxCards); p != nil {
		return p
	}
	kind := ""
	for i, card := range cards.Elements() {
		if p := checkOneCard(card, &kind); p != nil {
			return p.at(i).under("cards")
		}
	}
	return nil
}

// checkOneCard checks a card of a free-form carousel. All cards have the same kind of header; headerKind carries it along.
func checkOneCard(v value, headerKind *string) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var index, kind, header, body, action value
	pick(v, field{"card_index", &index}, field{"type", &kind}, field{"header", &header}, field{"body", &body}, field{"action", &action})
	if p := needIndex("card_index", index, maxCards); p != nil {
		return p
	}
	switch {
	case kind.Is("cta_url"):
		return first(checkCardHeader(header, headerKind).under("header"), checkBody(body, maxCardBody, false).under("body"),
			needObject("action", action), checkLinkButton(action).under("action"))
	case kind.Is("product"):
		return first(needObject("action", action), checkProduct(action).under("action"))
	}
	return needString("type", kind, noText)
}

func checkCardHeader(v value, headerKind *string) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var kind value
	pick(v, field{"type", &kind})
	if p := first(oneOf("type", kind, "image", "video"), checkHeader(v, anyHeader)); p != nil {
		return p
	}
	if *headerKind != "" && !kind.Is(*headerKind) {
		return wrong("type", "must be the same on every card")
	}
	*headerKind = kindOf(kind)
	return nil
}

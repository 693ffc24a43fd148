package message

// Limits of the simple types, in characters unless said otherwise (Meta).
const (
	maxText     = 4096
	maxCaption  = 1024
	maxContacts = 257
)

func checkText(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var body value
	pick(v, field{"body", &body})
	return needString("body", body, maxText)
}

// checkMedia checks the object of a media message. Meta refuses a caption on audio and stickers.
func checkMedia(v value, captions bool) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var caption, filename value
	pick(v, field{"caption", &caption}, field{"filename", &filename})
	if caption != nil && !captions {
		return wrong("caption", "is not allowed on this type")
	}
	return first(mediaSource(v), maybeString("caption", caption, maxCaption), maybeString("filename", filename, noText))
}

// mediaSource demands exactly one of an uploaded medium's id and a link.
func mediaSource(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var id, link value
	pick(v, field{"id", &id}, field{"link", &link})
	switch {
	case id == nil && link == nil:
		return wrong("id", "or link is required")
	case id != nil && link != nil:
		return wrong("id", "and link exclude each other")
	case link != nil:
		return needURL("link", link)
	}
	return needString("id", id, noText)
}

func checkLocation(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var latitude, longitude, name, address value
	pick(v, field{"latitude", &latitude}, field{"longitude", &longitude}, field{"name", &name}, field{"address", &address})
	return first(needDegrees("latitude", latitude, 90), needDegrees("longitude", longitude, 180),
		maybeString("name", name, noText), maybeString("address", address, noText))
}

func checkContacts(v value) *problem {
	if p := needArray("", v, 1, maxContacts); p != nil {
		return p
	}
	for i, card := range v.Elements() {
		if p := checkCard(card); p != nil {
			return p.at(i)
		}
	}
	return nil
}

func checkCard(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var name, birthday, org value
	pick(v, field{"name", &name}, field{"birthday", &birthday}, field{"org", &org})
	if p := first(checkName(name).under("name"), maybeDate("birthday", birthday), maybeObject("org", org)); p != nil {
		return p
	}
	for _, member := range [...]string{"phones", "emails", "urls", "addresses"} {
		var list value
		pick(v, field{member, &list})
		if list == nil {
			continue
		}
		if p := needArray(member, list, 0, 0); p != nil {
			return p
		}
		for i, entry := range list.Elements() {
			if p := needObject("", entry); p != nil {
				return p.at(i).under(member)
			}
		}
	}
	return nil
}

func checkName(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var formatted, firstName, last, middle, prefix, suffix value
	pick(v, field{"formatted_name", &formatted}, field{"first_name", &firstName}, field{"last_name", &last},
		field{"middle_name", &middle}, field{"prefix", &prefix}, field{"suffix", &suffix})
	if p := needString("formatted_name", formatted, noText); p != nil {
		return p
	}
	if firstName == nil && last == nil && middle == nil && prefix == nil && suffix == nil {
		return wrong("", "must have another part beside formatted_name: first_name, last_name, middle_name, prefix or suffix")
	}
	return first(maybeString("first_name", firstName, noText), maybeString("last_name", last, noText),
		maybeString("middle_name", middle, noText), maybeString("prefix", prefix, noText), maybeString("suffix", suffix, noText))
}

// checkReaction checks a reaction. An empty emoji takes an earlier reaction back.
func checkReaction(v value) *problem {
	if p := needObject("", v); p != nil {
		return p
	}
	var about, emoji value
	pick(v, field{"message_id", &about}, field{"emoji", &emoji})
	if emoji == nil {
		return first(needString("message_id", about, noText), wrong("emoji", "is required; an empty string takes the reaction back"))
	}
	return first(needString("message_id", about, noText), maybeString("emoji", emoji, noText))
}

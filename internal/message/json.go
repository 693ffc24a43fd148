package message

import "github.com/waxwing-messaging/waxwing/internal/rawjson"

// value is one JSON value inside a message object; a repeated member's last one counts.
type value = rawjson.Value

// field says where pick puts the member of a name.
type field struct {
	name string
	into *value
}

// pick reads the named members of an object in one pass over it.
func pick(v value, fields ...field) {
	for name, member := range v.Members() {
		for _, f := range fields {
			if f.name == string(name) {
				*f.into = member
				break
			}
		}
	}
}

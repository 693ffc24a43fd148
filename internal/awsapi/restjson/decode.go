package restjson

import (
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
)

// Decode binds the query string and then the body. An empty body is an empty object, whatever the content type says: clients
// differ too much in what they send with nothing.
func (p Protocol) Decode(r *http.Request, body []byte, in *shape.Struct, v reflect.Value, c *shape.Checker) error {
	var seen shape.Seen
	if err := query(r.URL.RawQuery, in, v, &seen); err != nil {
		return p.unreadable(err)
	}
	if err := Unmarshal(body, in, v, &seen, c); err != nil {
		return p.unreadable(err)
	}
	c.Struct(in, v, seen)
	return nil
}

// Unmarshal binds a body as all of AWS's JSON protocols have it, adds the members it holds to seen, and has every structure
// within them checked. An empty body is an empty object. The text of an error is for the sender.
func Unmarshal(body []byte, in *shape.Struct, v reflect.Value, seen *shape.Seen, c *shape.Checker) error {
	if len(body) == 0 {
		return nil
	}
	r := reader{data: body, check: c}
	return r.document(in, v, seen)
}

func (p Protocol) unreadable(err error) error {
	return &awsapi.Error{Code: p.Unreadable(), Message: err.Error()}
}

// query binds the parameters that are members. A list is a parameter that is repeated.
func query(raw string, in *shape.Struct, v reflect.Value, seen *shape.Seen) error {
	for len(raw) > 0 {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		escapedName, escaped, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(escapedName)
		if err != nil {
			return errQuery
		}
		i, known := in.Find([]byte(name))
		if !known || in.Members[i].Where != shape.Query {
			continue
		}
		value, err := url.QueryUnescape(escaped)
		if err != nil || !utf8.ValidString(value) {
			return errQuery
		}
		m := &in.Members[i]
		if err := parameter(m, v.Field(m.Index), value); err != nil {
			return err
		}
		seen.Add(i)
	}
	return nil
}

func parameter(m *shape.Member, v reflect.Value, value string) error {
	if m.Shape.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch m.Shape.Kind {
	case shape.String:
		v.SetString(value)
	case shape.Bool:
		b := value == "true"
		if !b && value != "false" {
			return mismatch('"', "a Boolean")
		}
		v.SetBool(b)
	case shape.Int:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || v.OverflowInt(n) {
			return mismatch('"', "an Integer")
		}
		v.SetInt(n)
	case shape.List:
		v.Set(reflect.Append(v, reflect.ValueOf(value).Convert(v.Type().Elem())))
	default:
		return problem("'" + m.Name + "' cannot be given in the query string")
	}
	return nil
}

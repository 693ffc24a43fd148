package definition

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// handleForm is how a handle from a resumable upload begins: a number, two colons, the media type in base64.
var handleForm = regexp.MustCompile(`^\d+::([A-Za-z0-9+/=_-]*)`)

// kinds are the media types a header of a format can be shown with.
var kinds = map[string]string{"IMAGE": "image/", "VIDEO": "video/", "GIF": "video/", "DOCUMENT": "application/pdf"}

// handle reads the sample of a media header. It comes from a resumable upload; a media id or an address is refused.
func (r *reader) handle(m map[string]any, format string) *Example {
	list := r.strings(member(m, "example"), "header_handle", 1, "HEADER")
	if r.err != nil {
		return nil
	}
	if r.o.Shown != nil && r.o.Shown(list[0]) {
		return &Example{HeaderHandle: list}
	}
	form := handleForm.FindStringSubmatch(list[0])
	if form == nil || r.o.Uploaded != nil && !r.o.Uploaded(list[0]) {
		r.fail(&graph.Error{HTTP: 400, Code: 131009, Subcode: graph.SubcodeParameter, Message: "(#131009) Parameter value is not valid",
			Data: "header_handle must be the handle of a resumable upload"})
		return nil
	}
	if kind, err := base64.StdEncoding.DecodeString(form[1]); err == nil && strings.Contains(string(kind), "/") && !strings.HasPrefix(string(kind), kinds[format]) {
		r.refuse(BadHeader, "The sample of a header of format %s can't be of type %s.", format, kind)
	}
	return &Example{HeaderHandle: list}
}

// ShowSamples puts addresses in the place of handles, as Meta does once it has stored the samples.
func (d *Definition) ShowSamples(address func(handle string) string) {
	show(d.Components, address)
}

func show(list []Component, address func(string) string) {
	for i := range list {
		if e := list[i].Example; e != nil {
			for j, h := range e.HeaderHandle {
				if handleForm.MatchString(h) {
					e.HeaderHandle[j] = address(h)
				}
			}
		}
		for _, card := range list[i].Cards {
			show(card.Components, address)
		}
	}
}

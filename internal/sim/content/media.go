package content

import (
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// MediaRef is a stored file that a message shows.
type MediaRef struct {
	Kind string // image, video, audio, document or sticker: where the message shows it
	ID   string
}

// Media returns the stored files a message refers to: its own, and those of headers and cards.
func Media(kind string, p graph.Params) []MediaRef {
	switch {
	case kind == "template" || kind == "interactive":
		return mediaIn(p[kind], nil, 0)
	case slices.Contains(mediaKinds, kind):
		return mediaIn(map[string]any{kind: p[kind]}, nil, 0)
	default:
		return nil
	}
}

// maxDepth is deeper than any message: template, components, cards, components, parameters, image, with lists between.
const maxDepth = 16

func mediaIn(v any, refs []MediaRef, depth int) []MediaRef {
	if depth > maxDepth {
		return refs
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			refs = mediaIn(item, refs, depth+1)
		}
	case map[string]any:
		for _, kind := range mediaKinds {
			if m, ok := v[kind].(map[string]any); ok {
				if id, _ := graph.Scalar(m["id"]); id != "" {
					refs = append(refs, MediaRef{kind, id})
				}
			}
		}
		for key, item := range v {
			if !slices.Contains(mediaKinds, key) {
				refs = mediaIn(item, refs, depth+1)
			}
		}
	}
	return refs
}

package definition

import "strings"

const (
	minCards = 2
	maxCards = 10
)

// cards reads a carousel. All its cards have the same parts: the same kind of header, a body or none, the same buttons.
func (r *reader) cards(m map[string]any) (cards []Card) {
	given := r.objects(m, "cards")
	if r.err == nil && (len(given) < minCards || len(given) > maxCards) {
		r.refuse(BadComponent, "A CAROUSEL has %d to %d cards.", minCards, maxCards)
	}
	first := ""
	for i, g := range given {
		card := Card{Components: r.parts(r.objects(g, "components"), true)}
		if r.err != nil {
			return nil
		}
		header, shape := "", make([]string, 0, 4)
		for _, c := range card.Components {
			switch shape = append(shape, c.Type+c.Format); c.Type {
			case "HEADER":
				header = c.Format
			case "BUTTONS":
				for _, b := range c.Buttons {
					shape = append(shape, b.Type)
				}
			}
		}
		switch {
		case header != "IMAGE" && header != "VIDEO" && header != "PRODUCT":
			r.refuse(BadHeader, "Every card needs a header that is an image, a video or a product.")
		case !strings.Contains(strings.Join(shape, " "), "BUTTONS"):
			r.refuse(MissingField, "Every card needs buttons.")
		case i == 0:
			first = strings.Join(shape, " ")
		case strings.Join(shape, " ") != first:
			r.refuse(BadComponent, "All cards of a carousel must have the same components and buttons.")
		}
		cards = append(cards, card)
	}
	return cards
}

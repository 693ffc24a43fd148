package sim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

const day = int64(24 * 60 * 60)

// Bounds of template analytics.
const (
	analyticsTemplates = 10
	analyticsDays      = 90
)

var analyticsArgument = regexp.MustCompile(`\.(start|end|granularity|template_ids|metric_types)\(([^)]*)\)`)

// templateAnalytics answers the field template_analytics of an account, whose arguments are part of its name: figures by day
// and template, counted from the messages that are remembered.
func (s *Sim) templateAnalytics(a *account, fields string, now int64) (any, *graph.Error) {
	args := map[string]string{}
	_, expansion, _ := strings.Cut(fields, "template_analytics")
	for _, m := range analyticsArgument.FindAllStringSubmatch(expansion, -1) {
		args[m[1]] = strings.Trim(strings.TrimSpace(m[2]), "[]")
	}
	start, err1 := strconv.ParseInt(args["start"], 10, 64)
	end, err2 := strconv.ParseInt(args["end"], 10, 64)
	var ids []string
	for id := range strings.SplitSeq(args["template_ids"], ",") {
		if id = strings.Trim(id, ` "'`); id != "" {
			ids = append(ids, id)
		}
	}
	today := now / 1e9
	switch {
	case err1 != nil || err2 != nil || start >= end:
		return nil, graph.Param("Param template_analytics needs a start before an end, both as unix timestamps.")
	case start < today-analyticsDays*day:
		return nil, graph.Param("Param start must be within the last %d days.", analyticsDays)
	case !strings.EqualFold(args["granularity"], "DAILY"):
		return nil, graph.Param("Param granularity must be one of {DAILY} - got %q.", args["granularity"])
	case len(ids) == 0 || len(ids) > analyticsTemplates:
		return nil, graph.Param("Param template_ids must have 1 to %d elements.", analyticsTemplates)
	}
	points := []object{}
	for _, id := range ids {
		t := s.st.templates[id]
		if t == nil || t.account != a {
			return nil, graph.UnknownObject("GET", id)
		}
		for from := start - start%day; from < end; from += day {
			o := object{"template_id": id, "start": from, "end": from + day}
			s.countTemplate(o, t, from)
			points = append(points, o)
		}
	}
	return object{"data": []object{{"granularity": "DAILY", "product_type": "cloud_api", "data_points": points}}}, nil
}

func (s *Sim) countTemplate(o object, t *template, from int64) {
	counts := map[stage]int{}
	first, _ := slices.BinarySearchFunc(s.st.messages, from*1e9, func(m *message, at int64) int { return int(min(max(m.at-at, -1), 1)) })
	for _, m := range s.st.messages[first:] {
		if m.at >= (from+day)*1e9 {
			break
		}
		if m.template == t {
			for _, reached := range [...]stage{sent, delivered, read} {
				if m.stamps[reached] > 0 {
					counts[reached]++
				}
			}
		}
	}
	o["sent"], o["delivered"], o["read"] = counts[sent], max(counts[delivered], counts[read]), counts[read]
}

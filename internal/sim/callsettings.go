package sim

import (
	"maps"
	"regexp"
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// callSettings are the members of settings.calling that are one of a few words.
var callSettings = map[string][]string{
	"status":                     {"ENABLED", "DISABLED"},
	"call_icon_visibility":       {"DEFAULT", "DISABLE_ALL"},
	"callback_permission_status": {"ENABLED", "DISABLED"},
}

var (
	clockTime = regexp.MustCompile(`^([01]\d|2[0-3])[0-5]\d$`)
	isoDate   = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`)
	weekdays  = []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"}
)

// getSettings shows the settings of a number.
func getNumberSettings(_ *Sim, c *call) (any, *graph.Error) {
	calling := map[string]any{"status": "DISABLED"}
	maps.Copy(calling, c.number.setup.calling)
	storage := object{"status": "DEFAULT"}
	if r := c.number.setup.region; r != "" {
		storage = object{"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": r}
	}
	return object{"calling": calling, "storage_configuration": storage}, nil
}

// setNumberSettings changes the settings of calls; what is left out stays.
func setNumberSettings(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	given, ok := c.params["calling"].(map[string]any)
	if !ok {
		return nil, graph.Param("The parameter calling is required.")
	}
	if c.number.Status != "CONNECTED" {
		return nil, graph.Fail(133010, "The phone number is not registered. Register it before changing its settings.")
	}
	for name, words := range callSettings {
		v, given := given[name]
		if text, _ := graph.Scalar(v); given && !slices.Contains(words, text) {
			return nil, graph.Param("Param calling[%s] must be one of {%s, %s} - got %q.", name, words[0], words[1], text)
		}
	}
	if hours, given := given["call_hours"]; given {
		if problem := checkHours(hours); problem != nil {
			return nil, problem
		}
	}
	changed := maps.Clone(c.number.setup.calling)
	if changed == nil {
		changed = map[string]any{}
	}
	maps.Copy(changed, given)
	c.number.setup.calling = changed
	return success, nil
}

// checkHours applies Meta's rules for the hours in which a business takes calls: at most two spans a day that do not overlap,
// at most twenty holidays.
func checkHours(v any) *graph.Error {
	hours, ok := v.(map[string]any)
	if !ok {
		return graph.Param("Param calling[call_hours] must be an object.")
	}
	status, _ := graph.Scalar(hours["status"])
	if status != "ENABLED" && status != "DISABLED" {
		return graph.Param("Param calling[call_hours][status] must be one of {ENABLED, DISABLED} - got %q.", status)
	}
	zone, _ := graph.Scalar(hours["timezone_id"])
	week, _ := hours["weekly_operating_hours"].([]any)
	if status == "ENABLED" && (zone == "" || len(week) == 0) {
		return graph.Param("Param calling[call_hours] needs timezone_id and weekly_operating_hours.")
	}
	spans := map[string][][2]string{}
	for _, item := range week {
		entry, _ := item.(map[string]any)
		day, _ := graph.Scalar(entry["day_of_week"])
		open, _ := graph.Scalar(entry["open_time"])
		closing, _ := graph.Scalar(entry["close_time"])
		if !slices.Contains(weekdays, day) || !clockTime.MatchString(open) || !clockTime.MatchString(closing) || open >= closing {
			return graph.Param("Param weekly_operating_hours needs a day_of_week, and an open_time before a close_time, both as HHMM.")
		}
		for _, other := range spans[day] {
			if open < other[1] && other[0] < closing {
				return graph.Param("Param weekly_operating_hours has spans that overlap on %s.", day)
			}
		}
		if spans[day] = append(spans[day], [2]string{open, closing}); len(spans[day]) > 2 {
			return graph.Param("Param weekly_operating_hours has more than 2 spans on %s.", day)
		}
	}
	holidays, _ := hours["holiday_schedule"].([]any)
	if len(holidays) > 20 {
		return graph.Param("Param holiday_schedule has more than 20 entries.")
	}
	for _, item := range holidays {
		entry, _ := item.(map[string]any)
		date, _ := graph.Scalar(entry["date"])
		start, _ := graph.Scalar(entry["start_time"])
		end, _ := graph.Scalar(entry["end_time"])
		if !isoDate.MatchString(date) || !clockTime.MatchString(start) || !clockTime.MatchString(end) {
			return graph.Param("Param holiday_schedule needs a date as YYYY-MM-DD, a start_time and an end_time as HHMM.")
		}
	}
	return nil
}

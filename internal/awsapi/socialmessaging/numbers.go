package socialmessaging

import (
	"context"
	"fmt"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type updateNumberInput struct {
	ID           string        `query:"id" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	CallSettings *callSettings `json:"callSettings" required:"true"`
}

type callSettings struct {
	Enabled        *bool      `json:"callEnabled" required:"true"`
	Permission     string     `json:"callbackPermissionStatus" len:"1..50"`
	IconVisibility string     `json:"callIconVisibility" len:"1..50"`
	Hours          *callHours `json:"callHours"`
}

// callHours are the hours in which a business takes calls, in its own time zone.
type callHours struct {
	Enabled  *bool        `json:"enabled" required:"true"`
	Timezone string       `json:"timezone"`
	Weekly   []openHours  `json:"weeklyOperatingHours"`
	Holidays []closedDays `json:"holidaySchedule"`
}

type openHours struct {
	Day   string     `json:"dayOfWeek" required:"true" enum:"MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY"`
	Open  *clockTime `json:"openTime" required:"true"`
	Close *clockTime `json:"closeTime" required:"true"`
}

type closedDays struct {
	Date  string     `json:"date" required:"true" pattern:"\\d{4}-\\d{2}-\\d{2}"`
	Start *clockTime `json:"startTime" required:"true"`
	End   *clockTime `json:"endTime" required:"true"`
}

type clockTime struct {
	Hours   int `json:"hours" range:"0..23"`
	Minutes int `json:"minutes" range:"0..59"`
}

// meta is the form that Meta wants: four digits.
func (c *clockTime) meta() string { return fmt.Sprintf("%02d%02d", c.Hours, c.Minutes) }

// updateNumber changes whether, when and by whom a number can be called. Only a number whose set-up is finished has such
// settings; of the others it is a conflict.
func (s server) updateNumber(ctx context.Context, in *updateNumberInput) (*struct{}, error) {
	scope := awsapi.From(ctx).Scope()
	number, err := s.phoneNumber(ctx, scope, in.ID)
	if err != nil {
		return nil, err
	}
	if number.Status != account.Active {
		return nil, fault.New(fault.Conflict, "Phone number %s cannot be changed: its status is %q, not %q.", in.ID, number.Status, account.Active)
	}
	return new(struct{}), s.SignUps.ChangeSettings(ctx, &number, map[string]any{"calling": in.CallSettings.meta()})
}

// meta is Meta's calling settings.
func (c *callSettings) meta() map[string]any {
	m := map[string]any{"status": onOff(*c.Enabled)}
	if c.Permission != "" {
		m["callback_permission_status"] = c.Permission
	}
	if c.IconVisibility != "" {
		m["call_icon_visibility"] = c.IconVisibility
	}
	if h := c.Hours; h != nil {
		m["call_hours"] = h.meta()
	}
	return m
}

func (h *callHours) meta() map[string]any {
	m := map[string]any{"status": onOff(*h.Enabled)}
	if h.Timezone != "" {
		m["timezone_id"] = h.Timezone
	}
	if h.Weekly != nil {
		week := make([]map[string]string, len(h.Weekly))
		for i, o := range h.Weekly {
			week[i] = map[string]string{"day_of_week": o.Day, "open_time": o.Open.meta(), "close_time": o.Close.meta()}
		}
		m["weekly_operating_hours"] = week
	}
	if h.Holidays != nil {
		days := make([]map[string]string, len(h.Holidays))
		for i, d := range h.Holidays {
			days[i] = map[string]string{"date": d.Date, "start_time": d.Start.meta(), "end_time": d.End.meta()}
		}
		m["holiday_schedule"] = days
	}
	return m
}

func onOff(on bool) string {
	if on {
		return "ENABLED"
	}
	return "DISABLED"
}

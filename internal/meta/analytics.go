package meta

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// TemplateAnalytics returns the daily figures of up to ten templates of a business account, from start to end, which Meta keeps for
// 90 days.
func (c *Client) TemplateAnalytics(ctx context.Context, metaID string, token identity.Secret, start, end time.Time, templates []string) ([]account.TemplateDay, error) {
	field := fmt.Sprintf("template_analytics.start(%d).end(%d).granularity(DAILY).template_ids([%s]).metric_types([SENT,DELIVERED,READ,CLICKED])",
		start.Unix(), end.Unix(), strings.Join(templates, ","))
	var a struct {
		Analytics struct {
			Data []struct {
				Points []struct {
					Template  string           `json:"template_id"`
					Start     int64            `json:"start"`
					End       int64            `json:"end"`
					Sent      int64            `json:"sent"`
					Delivered int64            `json:"delivered"`
					Read      int64            `json:"read"`
					Clicked   []account.Clicks `json:"clicked"`
				} `json:"data_points"`
			} `json:"data"`
		} `json:"template_analytics"`
	}
	if err := c.Do(ctx, Call{Version: Version, Path: metaID, Query: url.Values{"fields": {field}}, Token: token}, &a); err != nil {
		return nil, err
	}
	var days []account.TemplateDay
	for _, d := range a.Analytics.Data {
		for _, p := range d.Points {
			days = append(days, account.TemplateDay{TemplateID: p.Template, Start: time.Unix(p.Start, 0).UTC(), End: time.Unix(p.End, 0).UTC(),
				Sent: p.Sent, Delivered: p.Delivered, Read: p.Read, Clicks: p.Clicked})
		}
	}
	return days, nil
}

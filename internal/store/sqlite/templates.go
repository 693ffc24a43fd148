package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

const templateColumns = `meta_id, name, language, status, reason, paused_until, quality, category, previous_category, upcoming_category,
	price_rise, status_at, quality_at, category_at`

// Templates returns what is known of a business account's templates, by name and language.
func (db *DB) Templates(ctx context.Context, wabaKey string) ([]template.Known, error) {
	rows, err := db.query(ctx, `SELECT `+templateColumns+` FROM templates WHERE waba_key = ? ORDER BY name, language`, wabaKey)
	if err != nil {
		return nil, err
	}
	var list []template.Known
	err = collect(rows, func(scan func(...any) error) error {
		k, err := scanTemplate(scan)
		list = append(list, k)
		return err
	})
	return list, err
}

func scanTemplate(scan func(...any) error) (k template.Known, err error) {
	var paused, status, quality, category int64
	err = scan(&k.ID, &k.Name, &k.Language, &k.Status, &k.Reason, &paused, &k.Quality, &k.Category, &k.Previous, &k.Upcoming, &k.PriceRise,
		&status, &quality, &category)
	k.PausedUntil, k.StatusAt, k.QualityAt, k.CategoryAt = fromMicro(paused), fromMicro(status), fromMicro(quality), fromMicro(category)
	return k, err
}

// ListedTemplates stores what a complete listing of Meta's, asked for at a time, adds to what is known; what it lacks is forgotten.
// Newer news of webhooks stay. It returns those whose messages became more expensive. Of a business account that is not linked
// nothing is stored.
func (db *DB) ListedTemplates(ctx context.Context, wabaKey string, listed []template.Template, at time.Time) (dearer []template.Known, err error) {
	err = db.write(ctx, func(tx *tx) error {
		dearer = nil
		var linked int
		if _, err := tx.row(`SELECT count(*) FROM wabas WHERE key = ?`, args(wabaKey), &linked); err != nil || linked == 0 {
			return err
		}
		var known []template.Known
		if err := tx.rows(`SELECT `+templateColumns+` FROM templates WHERE waba_key = ?`, args(wabaKey), func(scan func(...any) error) error {
			k, err := scanTemplate(scan)
			known = append(known, k)
			return err
		}); err != nil {
			return err
		}
		put, drop, risen := template.Merge(known, listed, fromMicro(unixMicro(at)))
		for i := range put {
			if err := tx.putTemplate(wabaKey, &put[i]); err != nil {
				return err
			}
		}
		for _, id := range drop {
			if err := tx.dropTemplate(wabaKey, id); err != nil {
				return err
			}
		}
		dearer = risen
		return nil
	})
	return dearer, err
}

func (t *tx) putTemplate(wabaKey string, k *template.Known) error {
	_, err := t.exec(`INSERT OR REPLACE INTO templates (`+templateColumns+`, waba_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.Name, k.Language, k.Status, k.Reason, unixMicro(k.PausedUntil), k.Quality, k.Category, k.Previous, k.Upcoming, k.PriceRise,
		unixMicro(k.StatusAt), unixMicro(k.QualityAt), unixMicro(k.CategoryAt), wabaKey)
	return err
}

func (t *tx) dropTemplate(wabaKey, id string) error {
	_, err := t.exec(`DELETE FROM templates WHERE waba_key = ? AND meta_id = ?`, wabaKey, id)
	return err
}

// template applies what a webhook says about a template. Updates of components change nothing that is kept, and are passed on
// all the same: whoever has the old ones in memory has to read them again.
func (a *applier) template(u *template.Update, waba wabaRef) error {
	if u == nil {
		return nil
	}
	var before template.Known
	var err error
	if rowErr := a.tx.rows(`SELECT `+templateColumns+` FROM templates WHERE waba_key = ? AND meta_id = ?`, args(waba.key, u.ID),
		func(scan func(...any) error) error {
			before, err = scanTemplate(scan)
			return err
		}); rowErr != nil {
		return rowErr
	}
	if u.Deleted {
		if u.At.Before(before.StatusAt) {
			return nil
		}
		before.ID, before.Name, before.Language = u.ID, u.Name, u.Language
		a.res.Templates = append(a.res.Templates, template.Changed{AccountID: waba.accountID, WABAKey: waba.key, Template: before, Deleted: true})
		return a.tx.dropTemplate(waba.key, u.ID)
	}
	after, changed := before.Apply(*u)
	a.res.Templates = append(a.res.Templates, template.Changed{AccountID: waba.accountID, WABAKey: waba.key, Template: after,
		PriceRise: after.PriceRise && !before.PriceRise})
	if !changed {
		return nil
	}
	return a.tx.putTemplate(waba.key, &after)
}

// Owner returns the account that has linked a business account.
func (db *DB) Owner(ctx context.Context, wabaKey string) (accountID string, err error) {
	err = db.queryRow(ctx, `SELECT account_id FROM wabas WHERE key = ?`, wabaKey).Scan(&accountID)
	if err != nil {
		return "", notFound(err, "WhatsApp Business Account", account.ID(account.KindWABA, wabaKey))
	}
	return accountID, nil
}

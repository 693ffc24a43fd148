package sqlite

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const connectionColumns = `arn, account_id, name, description, auth_type, username, secret, created_at, modified_at`

func scanConnection(scan func(...any) error) (c bus.Connection, err error) {
	var created, modified int64
	err = scan(&c.ARN, &c.AccountID, &c.Name, &c.Description, &c.Type, &c.Username, &c.Sealed, &created, &modified)
	c.CreatedAt, c.ModifiedAt = fromMicro(created), fromMicro(modified)
	return c, err
}

func errNoConnection(name string) error {
	return fault.New(fault.NotFound, "Failed to describe the connection(s). Connection '%s' does not exist.", name)
}

// CreateBusConnection stores a connection.
func (db *DB) CreateBusConnection(ctx context.Context, c bus.Connection, most int) error {
	return db.write(ctx, func(tx *tx) error {
		var have int
		if _, err := tx.row(`SELECT count(*) FROM bus_connections WHERE account_id = ?`, args(c.AccountID), &have); err != nil {
			return err
		}
		if have >= most {
			return errTooMany
		}
		n, err := tx.exec(`INSERT INTO bus_connections (arn, account_id, name, description, auth_type, username, secret, created_at, modified_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, c.ARN, c.AccountID, c.Name, c.Description, string(c.Type), c.Username, c.Sealed,
			unixMicro(c.CreatedAt), unixMicro(c.ModifiedAt))
		switch {
		case err != nil:
			return err
		case n == 0:
			return fault.New(fault.Conflict, "Connection %s already exists.", c.Name)
		default:
			return nil
		}
	})
}

// BusConnection returns a connection.
func (db *DB) BusConnection(ctx context.Context, accountID, name string) (bus.Connection, error) {
	c, err := scanConnection(db.queryRow(ctx, `SELECT `+connectionColumns+` FROM bus_connections WHERE account_id = ? AND name = ?`,
		accountID, name).Scan)
	return c, missing(err, errNoConnection(name))
}

// BusConnections lists an account's connections by name.
func (db *DB) BusConnections(ctx context.Context, accountID, prefix, after string, limit int) (list []bus.Connection, err error) {
	rows, err := db.query(ctx, `SELECT `+connectionColumns+` FROM bus_connections WHERE account_id = ? AND name > ? AND name >= ? AND name < ?
		ORDER BY name LIMIT ?`, accountID, after, prefix, beyond(prefix), limit)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		c, err := scanConnection(scan)
		list = append(list, c)
		return err
	})
	return list, err
}

// UpdateBusConnection stores what change makes of a connection.
func (db *DB) UpdateBusConnection(ctx context.Context, accountID, name string, change func(*bus.Connection) error) (c bus.Connection, err error) {
	err = db.write(ctx, func(tx *tx) error {
		c, err = scanConnection(tx.scan(`SELECT `+connectionColumns+` FROM bus_connections WHERE account_id = ? AND name = ?`, accountID, name))
		if err != nil {
			return missing(err, errNoConnection(name))
		}
		if err := change(&c); err != nil {
			return err
		}
		_, err := tx.exec(`UPDATE bus_connections SET description = ?, auth_type = ?, username = ?, secret = ?, modified_at = ?
			WHERE account_id = ? AND name = ?`, c.Description, string(c.Type), c.Username, c.Sealed, unixMicro(c.ModifiedAt), accountID, name)
		return err
	})
	return c, err
}

// DeleteBusConnection removes a connection. API destinations that use it stay, and cannot be called.
func (db *DB) DeleteBusConnection(ctx context.Context, accountID, name string) (c bus.Connection, err error) {
	err = db.write(ctx, func(tx *tx) error {
		c, err = scanConnection(tx.scan(`DELETE FROM bus_connections WHERE account_id = ? AND name = ? RETURNING `+connectionColumns, accountID, name))
		return missing(err, errNoConnection(name))
	})
	return c, err
}

const destinationColumns = `d.arn, d.account_id, d.name, d.description, d.connection_arn, d.endpoint, d.method, d.rate, d.created_at, d.modified_at,
	EXISTS (SELECT 1 FROM bus_connections c WHERE c.arn = d.connection_arn)`

func scanDestination(scan func(...any) error) (d bus.Destination, err error) {
	var created, modified int64
	err = scan(&d.ARN, &d.AccountID, &d.Name, &d.Description, &d.ConnectionARN, &d.Endpoint, &d.Method, &d.Rate, &created, &modified, &d.Active)
	d.CreatedAt, d.ModifiedAt = fromMicro(created), fromMicro(modified)
	return d, err
}

func errNoDestination(name string) error {
	return fault.New(fault.NotFound, "Failed to describe the api-destination(s). An api-destination '%s' does not exist.", name)
}

// CreateBusDestination stores an API destination.
func (db *DB) CreateBusDestination(ctx context.Context, d bus.Destination, most int) error {
	return db.write(ctx, func(tx *tx) error {
		var have int
		if _, err := tx.row(`SELECT count(*) FROM bus_destinations WHERE account_id = ?`, args(d.AccountID), &have); err != nil {
			return err
		}
		if have >= most {
			return errTooMany
		}
		if err := tx.connected(&d); err != nil {
			return err
		}
		n, err := tx.exec(`INSERT INTO bus_destinations (arn, account_id, name, description, connection_arn, endpoint, method, rate, created_at, modified_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, d.ARN, d.AccountID, d.Name, d.Description, d.ConnectionARN, d.Endpoint, d.Method,
			d.Rate, unixMicro(d.CreatedAt), unixMicro(d.ModifiedAt))
		switch {
		case err != nil:
			return err
		case n == 0:
			return fault.New(fault.Conflict, "An api-destination '%s' already exists.", d.Name)
		default:
			return nil
		}
	})
}

// BusDestination returns an API destination.
func (db *DB) BusDestination(ctx context.Context, accountID, name string) (bus.Destination, error) {
	d, err := scanDestination(db.queryRow(ctx, `SELECT `+destinationColumns+` FROM bus_destinations d WHERE d.account_id = ? AND d.name = ?`,
		accountID, name).Scan)
	return d, missing(err, errNoDestination(name))
}

// BusDestinations lists an account's API destinations by name.
func (db *DB) BusDestinations(ctx context.Context, accountID, prefix, connectionARN, after string, limit int) (list []bus.Destination, err error) {
	query, a := `SELECT `+destinationColumns+` FROM bus_destinations d WHERE d.account_id = ? AND d.name > ? AND d.name >= ? AND d.name < ?
		ORDER BY d.name LIMIT ?`, args(accountID, after, prefix, beyond(prefix), limit)
	if connectionARN != "" {
		query, a = `SELECT `+destinationColumns+` FROM bus_destinations d WHERE d.connection_arn = ? AND d.account_id = ? AND d.name > ? AND d.name >= ?
			AND d.name < ? ORDER BY d.name LIMIT ?`, args(connectionARN, accountID, after, prefix, beyond(prefix), limit)
	}
	rows, err := db.query(ctx, query, a...)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		d, err := scanDestination(scan)
		list = append(list, d)
		return err
	})
	return list, err
}

// connected checks that an API destination's connection is there.
func (t *tx) connected(d *bus.Destination) error {
	var one int
	ok, err := t.row(`SELECT 1 FROM bus_connections WHERE arn = ? AND account_id = ?`, args(d.ConnectionARN, d.AccountID), &one)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "Connection '%s' does not exist.", d.ConnectionARN)
	}
	return err
}

// UpdateBusDestination stores what change makes of an API destination.
func (db *DB) UpdateBusDestination(ctx context.Context, accountID, name string, change func(*bus.Destination) error) (d bus.Destination, err error) {
	err = db.write(ctx, func(tx *tx) error {
		d, err = scanDestination(tx.scan(`SELECT `+destinationColumns+` FROM bus_destinations d WHERE d.account_id = ? AND d.name = ?`, accountID, name))
		if err != nil {
			return missing(err, errNoDestination(name))
		}
		if err := change(&d); err != nil {
			return err
		}
		if err := tx.connected(&d); err != nil {
			return err
		}
		d.Active = true
		_, err := tx.exec(`UPDATE bus_destinations SET description = ?, connection_arn = ?, endpoint = ?, method = ?, rate = ?, modified_at = ?
			WHERE account_id = ? AND name = ?`, d.Description, d.ConnectionARN, d.Endpoint, d.Method, d.Rate, unixMicro(d.ModifiedAt), accountID, name)
		return err
	})
	return d, err
}

// DeleteBusDestination removes an API destination. Targets that are it stay, and what is sent to them becomes dead letters.
func (db *DB) DeleteBusDestination(ctx context.Context, accountID, name string) error {
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM bus_destinations WHERE account_id = ? AND name = ?`, accountID, name)
		if err == nil && n == 0 {
			err = errNoDestination(name)
		}
		return err
	})
}

// BusCall finds what it takes to call an API destination.
func (db *DB) BusCall(ctx context.Context, arn string) (d bus.Destination, c bus.Connection, err error) {
	d, err = scanDestination(db.queryRow(ctx, `SELECT `+destinationColumns+` FROM bus_destinations d WHERE d.arn = ?`, arn).Scan)
	if err != nil {
		return d, c, missing(err, fault.New(fault.NotFound, "the API destination does not exist"))
	}
	c, err = scanConnection(db.queryRow(ctx, `SELECT `+connectionColumns+` FROM bus_connections WHERE arn = ?`, d.ConnectionARN).Scan)
	return d, c, missing(err, fault.New(fault.Dependency, "the API destination has no connection"))
}

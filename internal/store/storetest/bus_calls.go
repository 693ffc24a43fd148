package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

var errUpdate = errors.New("not like this")

func (s *station) newConnection(name string) bus.Connection {
	return bus.Connection{ARN: "arn:aws:events:us-east-1:" + s.account + ":connection/" + name + "/1", AccountID: s.account, Name: name, Description: "d",
		Type: bus.APIKey, Username: "x-key", Sealed: []byte("sealed"), CreatedAt: s.now, ModifiedAt: s.now.Add(time.Second)}
}

func (s *station) newDestination(name string, c bus.Connection) bus.Destination {
	return bus.Destination{ARN: "arn:aws:events:us-east-1:" + s.account + ":api-destination/" + name + "/1", AccountID: s.account, Name: name,
		Description: "d", ConnectionARN: c.ARN, Endpoint: "https://example.com/*", Method: "PUT", Rate: 7, Active: true,
		CreatedAt: s.now, ModifiedAt: s.now.Add(time.Second)}
}

func busConnections(t *testing.T, s *station) {
	for _, name := range []string{"b", "a-2", "a-1"} {
		must(t, s.CreateBusConnection(s.ctx, s.newConnection(name), 3))
	}
	isFault(t, "one more", s.CreateBusConnection(s.ctx, s.newConnection("c"), 3), fault.LimitExceeded)
	taken := s.newConnection("b")
	taken.ARN += "2"
	isFault(t, "a name that is taken", s.CreateBusConnection(s.ctx, taken, 10), fault.Conflict)
	got, err := s.BusConnection(s.ctx, s.account, "b")
	must(t, err)
	same(t, "stored", got, s.newConnection("b"))
	list, err := s.BusConnections(s.ctx, s.account, "a-", "", 1)
	must(t, err)
	same(t, "first page", list, []bus.Connection{s.newConnection("a-1")})
	list, err = s.BusConnections(s.ctx, s.account, "a-", "a-1", 10)
	must(t, err)
	same(t, "second page", list, []bus.Connection{s.newConnection("a-2")})
	if list, err = s.BusConnections(s.ctx, "111122223333", "", "", 10); err != nil || len(list) != 0 {
		t.Errorf("another account sees %v, %v", list, err)
	}
	changed := s.newConnection("b")
	changed.Description, changed.Type, changed.Username, changed.Sealed, changed.ModifiedAt = "e", bus.Basic, "me", []byte("new"), s.now.Add(time.Hour)
	got, err = s.UpdateBusConnection(s.ctx, s.account, "b", func(c *bus.Connection) error { *c = changed; return nil })
	must(t, err)
	same(t, "changed", got, changed)
	if _, err := s.UpdateBusConnection(s.ctx, s.account, "b", func(c *bus.Connection) error { c.Username = "x"; return errUpdate }); err == nil {
		t.Error("a change that failed was no error")
	}
	_, err = s.UpdateBusConnection(s.ctx, "111122223333", "b", func(*bus.Connection) error { return nil })
	isFault(t, "changing another account's", err, fault.NotFound)
	deleted, err := s.DeleteBusConnection(s.ctx, s.account, "b")
	must(t, err)
	same(t, "deleted", deleted, changed)
	_, err = s.BusConnection(s.ctx, s.account, "b")
	isFault(t, "a deleted one", err, fault.NotFound)
	_, err = s.DeleteBusConnection(s.ctx, s.account, "b")
	isFault(t, "deleting it again", err, fault.NotFound)
}

func busDestinations(t *testing.T, s *station) {
	c, other := s.newConnection("c"), s.newConnection("other")
	isFault(t, "without its connection", s.CreateBusDestination(s.ctx, s.newDestination("a", c), 3), fault.NotFound)
	must(t, s.CreateBusConnection(s.ctx, c, 10))
	must(t, s.CreateBusConnection(s.ctx, other, 10))
	for _, name := range []string{"b", "a"} {
		must(t, s.CreateBusDestination(s.ctx, s.newDestination(name, c), 3))
	}
	must(t, s.CreateBusDestination(s.ctx, s.newDestination("z", other), 3))
	isFault(t, "one more", s.CreateBusDestination(s.ctx, s.newDestination("y", c), 3), fault.LimitExceeded)
	taken := s.newDestination("a", c)
	taken.ARN += "2"
	isFault(t, "a name that is taken", s.CreateBusDestination(s.ctx, taken, 10), fault.Conflict)

	list, err := s.BusDestinations(s.ctx, s.account, "", "", "a", 10)
	must(t, err)
	same(t, "behind a", list, []bus.Destination{s.newDestination("b", c), s.newDestination("z", other)})
	list, err = s.BusDestinations(s.ctx, s.account, "", c.ARN, "", 1)
	must(t, err)
	same(t, "of a connection", list, []bus.Destination{s.newDestination("a", c)})

	changed := s.newDestination("b", other)
	changed.Description, changed.Endpoint, changed.Method, changed.Rate, changed.ModifiedAt = "e", "https://example.org", "POST", 8, s.now.Add(time.Hour)
	got, err := s.UpdateBusDestination(s.ctx, s.account, "b", func(d *bus.Destination) error { *d = changed; return nil })
	must(t, err)
	same(t, "changed", got, changed)
	_, err = s.UpdateBusDestination(s.ctx, s.account, "b", func(d *bus.Destination) error { d.ConnectionARN = "nothing"; return nil })
	isFault(t, "changed to a connection that is not there", err, fault.NotFound)
	_, err = s.UpdateBusDestination(s.ctx, s.account, "nobody", func(*bus.Destination) error { return nil })
	isFault(t, "changing what is not there", err, fault.NotFound)
	got, err = s.BusDestination(s.ctx, s.account, "b")
	must(t, err)
	same(t, "stored", got, changed)

	d, found, err := s.BusCall(s.ctx, s.newDestination("a", c).ARN)
	must(t, err)
	same(t, "to call", d, s.newDestination("a", c))
	same(t, "with", found, c)
	_, err = s.DeleteBusConnection(s.ctx, s.account, "c")
	must(t, err)
	_, _, err = s.BusCall(s.ctx, s.newDestination("a", c).ARN)
	isFault(t, "calling without a connection", err, fault.Dependency)
	got, err = s.BusDestination(s.ctx, s.account, "a")
	must(t, err)
	same(t, "active without a connection", got.Active, false)

	must(t, s.DeleteBusDestination(s.ctx, s.account, "a"))
	_, err = s.BusDestination(s.ctx, s.account, "a")
	isFault(t, "a deleted one", err, fault.NotFound)
	isFault(t, "deleting it again", s.DeleteBusDestination(s.ctx, s.account, "a"), fault.NotFound)
	_, _, err = s.BusCall(s.ctx, s.newDestination("a", c).ARN)
	isFault(t, "calling it", err, fault.NotFound)
}

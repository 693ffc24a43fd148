package message

import "context"

// Queue is where accepted messages are kept. Accept stores the message, its sealed body and its place in the queue, all on
// disk when it returns, and returns the message's id and place. For an invocation that was accepted within the hour it
// stores nothing and returns the earlier id and place 0.
type Queue interface {
	Accept(ctx context.Context, m *Outbound, sealed []byte) (id string, seq int64, err error)
}

// Sealer protects message bodies at rest; the message's id is bound to its body.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
}

// Acceptor takes responsibility for messages.
type Acceptor struct {
	queue    Queue
	sealer   Sealer
	accepted func(Job)
}

// NewAcceptor returns an Acceptor that calls accepted with every new message once it is on disk, and before its sender is
// told.
func NewAcceptor(q Queue, s Sealer, accepted func(Job)) *Acceptor {
	return &Acceptor{queue: q, sealer: s, accepted: accepted}
}

// Send accepts a valid message and returns its id. The message is durable when Send returns without an error; what becomes
// of it is told by events. After an error that is not the caller's doing the message may have been accepted all the same.
func (a *Acceptor) Send(ctx context.Context, m Outbound) (id string, err error) {
	sealed, err := a.sealer.Seal(m.Body, []byte(m.ID))
	if err != nil {
		return "", err
	}
	id, seq, err := a.queue.Accept(ctx, &m, sealed)
	if err != nil {
		return "", err
	}
	if seq != 0 {
		a.accepted(m.Job(seq))
	}
	return id, nil
}

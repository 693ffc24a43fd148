package onboarding

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Finish is the second phase. It returns the key of the business account.
func (s *Service) Finish(ctx context.Context, f account.SetUp) (wabaKey string, err error) {
	accountID := f.Scope.AccountID
	if err := s.Links.CheckSignUp(ctx, accountID, f.Token, s.Now()); err != nil {
		return "", err
	}
	waba, numbers, err := s.find(ctx, &f)
	if err != nil {
		return "", err
	}
	change := account.Finish{WABAKey: waba.Key, Complete: f.WABA != "", Destination: f.Destination, KeepDestination: f.KeepDestination,
		Tags: f.Tags, Numbers: make([]account.FinishedNumber, len(numbers))}
	for i, n := range f.Numbers {
		change.Numbers[i] = account.FinishedNumber{Key: numbers[i].Key, DataRegion: n.Region, Tags: n.Tags}
	}
	access, err := s.Accounts.Access(ctx, accountID, waba.Key)
	if err != nil {
		return "", err
	}
	if err := s.Callbacks.Subscribe(ctx, access.MetaID, access.Token, waba.CallbackURL); err != nil {
		return "", err
	}
	for i, n := range f.Numbers {
		if numbers[i].Throughput == account.ThroughputShared {
			continue // stays registered with the WhatsApp Business app
		}
		if err := s.Meta.Register(ctx, numbers[i].MetaID, access.Token, n.PIN.Reveal(), n.Region); err != nil {
			return "", err
		}
	}
	return waba.Key, s.Links.FinishSignUp(ctx, accountID, f.Token, change, s.Now())
}

// find resolves what a request names and checks all of it before Meta is asked for anything.
func (s *Service) find(ctx context.Context, f *account.SetUp) (account.WABA, []account.PhoneNumber, error) {
	if (f.WABA == "") == (f.Parent == "") {
		return account.WABA{}, nil, refuse("Exactly one of waba and phoneNumberParent has to be given.")
	}
	id := f.WABA + f.Parent
	key, err := s.key(ctx, f.Scope, account.KindWABA, id)
	if err != nil {
		return account.WABA{}, nil, err
	}
	waba, linked, err := s.Accounts.WABA(ctx, f.Scope.AccountID, key)
	switch {
	case key == "" || fault.Is(err, fault.NotFound):
		return account.WABA{}, nil, refuse("There is no WhatsApp Business Account %s in this account and Region.", id)
	case err != nil:
		return account.WABA{}, nil, err
	case f.Parent != "" && waba.RegistrationStatus != account.Complete:
		return account.WABA{}, nil, refuse("The set-up of the WhatsApp Business Account %s is not finished: name it as waba.", id)
	case f.Parent != "" && len(f.Numbers) == 0:
		return account.WABA{}, nil, refuse("phoneNumbers has to name the numbers to add.")
	}
	byKey := make(map[string]account.PhoneNumber, len(linked))
	for _, n := range linked {
		byKey[n.Key] = n
	}
	numbers := make([]account.PhoneNumber, len(f.Numbers))
	for i, n := range f.Numbers {
		key, err := s.key(ctx, f.Scope, account.KindPhoneNumber, n.ID)
		if err != nil {
			return account.WABA{}, nil, err
		}
		number, ok := byKey[key]
		if !ok {
			return account.WABA{}, nil, refuse("There is no phone number %s in the WhatsApp Business Account %s, or it is named twice.", n.ID, id)
		}
		delete(byKey, key)
		if !sixDigits(n.PIN.Reveal()) {
			return account.WABA{}, nil, refuse("twoFactorPin of the phone number %s has to be six digits.", n.ID)
		}
		if n.Region != "" && !account.DataRegion(n.Region) {
			return account.WABA{}, nil, refuse("dataLocalizationRegion %s is not a country in which Meta keeps data.", n.Region)
		}
		numbers[i] = number
	}
	return waba, numbers, nil
}

// key resolves an id, an ARN or Meta's id; "" is nothing of the account's.
func (s *Service) key(ctx context.Context, scope account.Scope, kind, id string) (string, error) {
	if key, ok := account.ResolveKey(scope, kind, id); ok {
		return key, nil
	}
	keys, err := s.Accounts.LinkedKeys(ctx, scope.AccountID, []string{id})
	return keys[id], err
}

func sixDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 6
}

func refuse(format string, args ...any) error {
	return fault.New(fault.InvalidParameters, format, args...)
}

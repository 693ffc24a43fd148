package sqs

import (
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// What SQS answers. It has two names for most errors: that of its model, and the older one that it adds in a header, which the SDK
// prefers. Compatible services know one or the other.
const (
	noQueue = "create the queue, or change the destination"
	notFor  = "allow sqs:SendMessage on the queue to the identity that sends: the role of the destination, or this server's own"
	noKey   = "let the identity that sends use the queue's KMS key: kms:GenerateDataKey and kms:Decrypt in the key's policy. The key has " +
		"to be a symmetric one of your own, since the policy of alias/aws/sqs cannot be changed"
	disabledKey = "the queue's KMS key is disabled: enable it, or give the queue another key"
	stuckKey    = "the queue's KMS key cannot be used, perhaps because it will be deleted: cancel that, or give the queue another key"
	wrongKey    = "the queue's KMS key is not made for encryption: give the queue another, symmetric key"
	missingKey  = "the queue's KMS key does not exist: give the queue another, symmetric key"
	noKMS       = "the AWS account that sends has no access to KMS: complete its registration with AWS"
	busyKMS     = "KMS takes no more requests for the queue's key: a longer data key reuse period needs fewer"
	notFIFO     = "messages are sent to standard queues only: change the destination"
)

var service = awsrole.Service{Name: "SQS", Codes: map[string]awsrole.Meaning{
	"QueueDoesNotExist":                           {Advice: noQueue},
	"AWS.SimpleQueueService.NonExistentQueue":     {Advice: noQueue},
	"QueueDeletedRecently":                        {Advice: noQueue},
	"AWS.SimpleQueueService.QueueDeletedRecently": {Advice: noQueue},
	"InvalidAddress":                              {Advice: noQueue},
	"AccessDenied":                                {Advice: notFor},
	"AccessDeniedException":                       {Advice: notFor},
	"InvalidSecurity":                             {Advice: "use an HTTPS endpoint and valid AWS credentials"},
	"MissingParameter":                            {Advice: notFIFO}, // it wants a MessageGroupId
	"UnsupportedOperation":                        {Advice: notFIFO},
	"AWS.SimpleQueueService.UnsupportedOperation": {Advice: notFIFO},
	"InvalidMessageContents":                      {Kind: fault.InvalidParameters},
	"InvalidParameterValue":                       {Kind: fault.InvalidParameters}, // too long, for one
	"InvalidAttributeName":                        {Kind: fault.InvalidParameters},
	"InvalidAttributeValue":                       {Kind: fault.InvalidParameters},
	"BatchRequestTooLong":                         {Kind: fault.InvalidParameters},
	"AWS.SimpleQueueService.BatchRequestTooLong":  {Kind: fault.InvalidParameters},
	"TooManyEntriesInBatchRequest":                {Kind: fault.InvalidParameters},
	"OverLimit":                                   {Kind: fault.Throttled},
	"RequestThrottled":                            {Kind: fault.Throttled},
	"KmsAccessDenied":                             {Advice: noKey},
	"KMS.AccessDeniedException":                   {Advice: noKey},
	"KmsDisabled":                                 {Advice: disabledKey},
	"KMS.DisabledException":                       {Advice: disabledKey},
	"KmsInvalidState":                             {Advice: stuckKey},
	"KMS.InvalidStateException":                   {Advice: stuckKey},
	"KmsInvalidKeyUsage":                          {Advice: wrongKey},
	"KMS.InvalidKeyUsageException":                {Advice: wrongKey},
	"KmsNotFound":                                 {Advice: missingKey},
	"KMS.NotFoundException":                       {Advice: missingKey},
	"KmsOptInRequired":                            {Advice: noKMS},
	"KMS.OptInRequired":                           {Advice: noKMS},
	"KmsThrottled":                                {Kind: fault.Throttled, Advice: busyKMS},
	"KMS.ThrottlingException":                     {Kind: fault.Throttled, Advice: busyKMS},
}}

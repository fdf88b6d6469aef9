/** What one attempt to deliver a message can end with. */

/** The failures, each with what it means. Every attempt that is not acknowledged has exactly one. */
export const failures = {
  late: 'answered after the timeout',
  no_answer: 'no complete answer within the timeout and --late-wait',
  no_continue: 'no 100 Continue within the timeout, so the body was not sent',
  not_acknowledged: 'answered in time, and Acknowledgement is not 1',
  no_acknowledgement: 'answered in time, and the body has no Acknowledgement',
  status: 'answered with a status other than 2xx',
  no_length: 'the answer has no Content-Length, which EHI requires',
  no_type: 'the answer has no Content-Type, which EHI requires',
  early: 'answered 2xx before the body was sent',
  misframed: 'the answer is not valid HTTP/1.1',
  cut: 'the connection ended within the answer',
  closed: 'the connection ended without an answer',
  connect: 'the connection could not be opened',
} as const;

export type Failure = keyof typeof failures;
export type Outcome = 'acknowledged' | Failure;

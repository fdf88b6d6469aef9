/** The value of WWW-Authenticate for each refusal (RFC 6750 §3). It says no more than the kind of error. */
import { type BearerRefusal, bearerRefusals } from '../message/message-reasons.ts';

/** Sent where no error may be stated: a challenge needs a parameter. */
const realm = 'realm="ehi-gateway"';

/** `scopes`: those that the route demands. Their grammar allows no character that would end the quotation. */
export function challengeOf(reason: BearerRefusal, scopes: readonly string[]): string {
  const scope = scopes.length === 0 ? '' : `, scope="${scopes.join(' ')}"`;
  // RFC 6750 §3.1: a request without any token gets no error code, and so does one that could not be judged.
  if (reason === 'token_missing' || reason === 'token_undecided') return `Bearer ${realm}${scope}`;
  const { status } = bearerRefusals[reason];
  switch (status) {
    case 400:
      return 'Bearer error="invalid_request"';
    case 401:
      return 'Bearer error="invalid_token"';
    case 403:
      return `Bearer error="insufficient_scope"${scope}`;
    default:
      return status satisfies never;
  }
}

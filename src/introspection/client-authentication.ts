/** What a request to an introspection endpoint must have so that it comes from a known client (RFC 7662 §2.1). */
import { randomBytes } from 'node:crypto';
import { signJwt } from '../jose/jwt-signer.ts';
import type { IntrospectionAuth } from './settings.ts';

/** Seconds until an assertion ends; it is used at once. */
const ASSERTION_SECONDS = 60;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface Authentication {
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the form, beside the token. */
  readonly fields: Readonly<Record<string, string>>;
}

/** `now`: milliseconds since the epoch. */
export async function authenticate(auth: IntrospectionAuth, now: number): Promise<Authentication> {
  const { clientId } = auth;
  switch (auth.kind) {
    case 'client_secret_basic': {
      const credentials = Buffer.from(`${formEncode(clientId)}:${formEncode(auth.secret)}`).toString(
        'base64',
      );
      return { headers: { authorization: `Basic ${credentials}` }, fields: {} };
    }
    case 'private_key_jwt': {
      const issuedAt = Math.floor(now / 1000);
      const assertion = await signJwt(
        {
          ...{ iss: clientId, sub: clientId, aud: auth.audience, iat: issuedAt },
          ...{ exp: issuedAt + ASSERTION_SECONDS, jti: randomBytes(16).toString('base64url') },
        },
        auth,
      );
      return {
        headers: {},
        fields: { client_id: clientId, client_assertion_type: assertionType, client_assertion: assertion },
      };
    }
    case 'tls_client_auth':
      // RFC 8705 §2: the server finds the client by this, and compares the certificate with what it knows of it.
      return { headers: {}, fields: { client_id: clientId } };
    default:
      return auth satisfies never;
  }
}

/** RFC 6749 §2.3.1: both are encoded as in a form before they are joined. */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

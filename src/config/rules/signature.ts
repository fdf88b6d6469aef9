/** The rules of `routes[].signature` and of `clients.certificate`: what contradicts them elsewhere, and what they leave open. */
import type { Diagnostic, Diagnostics } from '../diagnostic.ts';
import { limits as limitsSchema } from '../schema/limits.ts';
import { type Fields, fieldsOf, isMapping, itemsOf } from '../yaml-values.ts';
import { isKept, removes } from './removed-names.ts';

/** What `check` says where no certificate is demanded. */
const withoutCertificate =
  'optional: a client without a certificate may connect, and is known by its address alone. pins, match, registered and revocation apply only to a client that sends a certificate. Its messages are accepted for the signature of their body: the method, the path and the other fields are not signed, and hosts get no certificate in the identity fields';

export function checkSignature(
  config: {
    readonly routes: readonly Fields[];
    readonly identity: Fields;
    readonly clients: Fields;
    readonly limits: unknown;
  },
  { problems, warnings }: Diagnostics,
): void {
  const policies = config.routes.map(({ signature }) => (isMapping(signature) ? signature : null));
  problems.push(...removedFields(policies, config.identity), ...unusableFields(config.routes));
  if (policies.some((signature) => signature !== null)) warnings.push(...smallHolding(config.limits));
  for (const [index, signature] of policies.entries()) {
    if (signature === null || 'timestamp' in signature) continue;
    warnings.push({
      path: ['routes', index, 'signature'],
      found: 'no timestamp: a message that was seen once can be sent again at any time',
      allowed: 'a timestamp that is signed, if the sender has one',
      atKey: true,
    });
  }
  if (config.clients.certificate !== 'optional') return;
  for (const [index, signature] of policies.entries()) {
    if (signature !== null && signature.mode !== 'shadow') continue;
    problems.push({
      path: ['clients', 'certificate'],
      found: `optional, though routes[${index}] has no signature in mode enforce: its messages would be accepted from any client`,
      allowed: 'optional only if every route has a signature in mode enforce',
    });
    return;
  }
  warnings.push({
    path: ['clients', 'certificate'],
    found: withoutCertificate,
    allowed: 'required, if the senders have client certificates',
  });
}

/** Fields of signatures that `identity.remove` takes from every message before it is judged. */
function removedFields(policies: readonly (Fields | null)[], identity: Fields): Diagnostic[] {
  const names = policies.flatMap((signature) => (signature === null ? [] : fieldNamesOf(signature)));
  return itemsOf(identity.remove).flatMap((removed, index): Diagnostic[] => {
    const hit = names.find((name) => removes(removed, name));
    if (hit === undefined) return [];
    return [
      {
        path: ['identity', 'remove', index],
        found: `${String(removed)}: it removes ${hit} from every message before its signature is judged`,
        allowed: 'names that do not match a field of routes[].signature',
      },
    ];
  });
}

/** Fields that no message has when it is judged, or that have another meaning there: each message would be refused. */
function unusableFields(routes: readonly Fields[]): Diagnostic[] {
  return routes.flatMap(({ signature, bearer }, index) => {
    if (!isMapping(signature)) return [];
    const path = ['routes', index, 'signature'];
    const lost = fieldNamesOf(signature).find((name) => !isKept(name));
    const isToken = isMapping(bearer) && fieldNamesOf(signature).some(isAuthorization);
    return [
      ...(lost === undefined
        ? []
        : [
            {
              path,
              found: `${lost}, which is removed from every message before its signature is judged`,
              allowed: 'fields that are neither in docs/removed-fields.md nor part of HTTP, without "_"',
              atKey: true,
            },
          ]),
      ...(isToken
        ? [
            {
              path,
              found: 'Authorization beside bearer, which takes the token from it',
              allowed: 'another field',
              atKey: true,
            },
          ]
        : []),
    ];
  });
}

function isAuthorization(name: string): boolean {
  return name.toLowerCase() === 'authorization';
}

function smallHolding(limits: unknown): Diagnostic[] {
  const { body = 0, heldBodies = 0 } = limitsSchema.safeParse(limits ?? {}).data ?? {};
  if (heldBodies >= body) return [];
  const found = `${heldBodies} bytes, less than limits.body (${body} bytes): a larger body always gets 503 on a route with a signature`;
  return [{ path: ['limits', 'heldBodies'], found, allowed: 'several times limits.body' }];
}

function fieldNamesOf(signature: Fields): string[] {
  const { header, hmac, kid, timestamp } = signature;
  return [header, ...[hmac, kid, timestamp].map((each) => fieldsOf(each).header)].filter(
    (name) => typeof name === 'string',
  );
}

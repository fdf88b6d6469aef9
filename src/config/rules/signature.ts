/** The rules of `routes[].signature` and of `clients.certificate`: what contradicts them elsewhere, and what they leave open. */
import type { Diagnostic, Diagnostics } from '../diagnostic.ts';
import { type Fields, fieldsOf, isMapping, itemsOf } from '../yaml-values.ts';
import { removes } from './removed-names.ts';

/** What `check` says where no certificate is demanded. */
const withoutCertificate =
  'optional: a client without a certificate may connect, and is known by its address alone. pins, match, registered and revocation apply only to a client that sends a certificate. Its messages are accepted for the signature of their body: the method, the path and the other fields are not signed, and hosts get no certificate in the identity fields';

export function checkSignature(
  config: { readonly routes: readonly Fields[]; readonly identity: Fields; readonly clients: Fields },
  { problems, warnings }: Diagnostics,
): void {
  const policies = config.routes.map(({ signature }) => (isMapping(signature) ? signature : null));
  problems.push(...removedFields(policies, config.identity));
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

function fieldNamesOf(signature: Fields): string[] {
  const { header, hmac, kid, timestamp } = signature;
  return [header, ...[hmac, kid, timestamp].map((each) => fieldsOf(each).header)].filter(
    (name) => typeof name === 'string',
  );
}

/** The rules of `trust.mode: registered` and of `clients.registered`. */
import type { Diagnostics } from '../diagnostic.ts';
import { type Fields, fieldsOf, isMapping } from '../yaml-values.ts';

/** What `check` says about clients without a CA. */
const notVerified =
  'no CA vouches for a client. Not verified: who issued its certificate, a path to a trust anchor, name constraints, and revocation. Still verified: that the client has the private key, that its certificate or key is in clients.registered, the dates of the certificate, the strength of its key, and its purpose';

export function checkRegistered(config: Fields, { problems, warnings }: Diagnostics): void {
  const [trust, clients] = [fieldsOf(config.trust), fieldsOf(config.clients)];
  const registered = isMapping(clients.registered) ? clients.registered : null;
  if (trust.mode !== 'registered') {
    // A missing `trust` is reported by the schema.
    if (isMapping(config.trust) && !('anchors' in trust))
      problems.push({ path: ['trust', 'anchors'], allowed: 'a list of anchors' });
    return;
  }
  const alone = 'nothing under mode: registered, where no CA vouches for a client';
  for (const field of ['anchors', 'candidates'])
    if (field in trust) problems.push({ path: ['trust', field], allowed: alone, atKey: true });
  if (!('registered' in clients)) {
    const found = 'mode: registered without clients.registered: nothing would identify a client';
    problems.push({ path: ['trust', 'mode'], found, allowed: 'clients.registered beside it' });
  }
  if (registered?.mode === 'shadow')
    problems.push({
      path: ['clients', 'registered', 'mode'],
      allowed: 'enforce under trust.mode: registered, where nothing else identifies a client',
    });
  warnings.push({
    path: ['trust', 'mode'],
    found: `mode: registered: ${notVerified}`,
    allowed: 'mode: anchors, if a CA issues the clients’ certificates',
  });
  if (registered?.compare === 'key')
    warnings.push({
      path: ['clients', 'registered', 'compare'],
      found:
        'compare: key under trust.mode: registered: each client writes the names in its certificate itself, and may write those of another client',
      allowed:
        'compare: certificate, or hosts that identify a client by the thumbprint or the key of its certificate, never by a name in it',
    });
}

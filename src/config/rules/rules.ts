/** The rules between fields. They read values before validation, so that they report beside the schema's issues. */
import { parseRange } from '../../source/address.ts';
import { type Diagnostics, noDiagnostics } from '../diagnostic.ts';
import { type Fields, fieldsOf, itemsOf } from '../yaml-values.ts';
import { checkAnchors } from './anchors.ts';
import { checkAudit } from './audit.ts';
import { checkBearer } from './bearer.ts';
import { checkPorts } from './ports.ts';
import { checkRegistered } from './registered.ts';
import { checkRoutes } from './routes.ts';
import { checkSignature } from './signature.ts';

export const callerSentence =
  'The chain alone proves only that the CA issued the certificate, and that CA serves every customer';

const limitsOfAnyAddress =
  'and one address may hold limits.connectionsPerAddress connections and limits.unfinishedHandshakesPerAddress handshakes of each relay thread, several addresses together all of limits.connections';

/** `config`: what the YAML holds. Values that are not valid are skipped: the schema reports them. */
export function checkRules(config: unknown): Diagnostics {
  const diagnostics = noDiagnostics();
  const { admin, audit, clients, identity, limits, listen, routes, timeouts, trust } = fieldsOf(config);
  checkPorts({ listen: fieldsOf(listen), admin: fieldsOf(admin) }, diagnostics);
  checkAnchors(fieldsOf(trust), diagnostics);
  checkRegistered(fieldsOf(config), diagnostics);
  checkCallers(fieldsOf(clients), diagnostics);
  checkAudit(fieldsOf(audit), diagnostics);
  checkRoutes({ routes: itemsOf(routes).map(fieldsOf), timeouts: fieldsOf(timeouts) }, diagnostics);
  const guarded = { routes: itemsOf(routes).map(fieldsOf), identity: fieldsOf(identity) };
  checkBearer(guarded, diagnostics);
  checkSignature({ ...guarded, clients: fieldsOf(clients), limits }, diagnostics);
  return diagnostics;
}

interface CallerNames {
  readonly byAddress: boolean;
  readonly byMatch: boolean;
  readonly byRegistration: boolean;
}

/** Whether the allowlist, the matches and the registration of `clients` restrict the caller. Pins are checked with the anchors. */
export function namesCaller(clients: Fields): CallerNames {
  return {
    byAddress: 'allowlist' in clients && !itemsOf(clients.allowlist).some(isEveryAddress),
    // A client needs to fit only one match: one that names only the issuer admits every client of that CA.
    byMatch: 'match' in clients && !itemsOf(clients.match).some(namesOnlyIssuer),
    byRegistration: 'registered' in clients && fieldsOf(clients.registered).mode !== 'shadow',
  };
}

/** A value that is not valid counts as naming a caller: the schema reports it. */
function checkCallers(clients: Fields, { problems, warnings }: Diagnostics): void {
  const { byAddress, byMatch, byRegistration } = namesCaller(clients);
  const byCertificate = 'pins' in clients || byMatch || byRegistration;
  const allowed = `a match, pin, registration or allowlist that names the caller, or anyCertificateOfAnchor: true. ${callerSentence}`;
  if (!byAddress && !byCertificate && clients.anyCertificateOfAnchor !== true) {
    problems.push({ path: ['clients'], found: 'nothing that names a caller', allowed, atKey: true });
  }
  if (!byAddress) {
    const hasAllowlist = 'allowlist' in clients;
    const path = hasAllowlist ? ['clients', 'allowlist'] : ['clients'];
    const found = `${
      hasAllowlist
        ? 'a range of length /0: every address of its family may connect'
        : 'no allowlist: any address may connect'
    }, ${limitsOfAnyAddress}`;
    warnings.push({ path, found, allowed: 'an allowlist of the networks that call', atKey: true });
  } else if (!byCertificate && clients.anyCertificateOfAnchor !== true) {
    warnings.push({ path: ['clients', 'allowlist'], found: 'an allowlist alone', allowed, atKey: true });
  }
}

function isEveryAddress(range: unknown): boolean {
  return typeof range === 'string' && parseRange(range)?.prefix === 0;
}

function namesOnlyIssuer(match: unknown): boolean {
  return Object.keys(fieldsOf(match)).every((key) => key === 'issuer') && 'issuer' in fieldsOf(match);
}

/** The rules between fields. They read the raw values, so that they speak up beside the schema's own problems. */
import { parseRange } from '../../source/address.ts';
import type { Finding } from '../document.ts';
import { type Fields, fieldsOf, itemsOf } from '../yaml-values.ts';
import { checkAnchors } from './anchors.ts';
import { checkPorts } from './ports.ts';
import { checkRoutes } from './routes.ts';

export const callerSentence =
  'The chain alone proves only that the CA issued the certificate, and that CA serves every customer';

const openToStrangers =
  'and one address may hold limits.connectionsPerAddress connections and limits.unfinishedHandshakesPerAddress handshakes of each relay thread, several addresses together all of limits.connections';

export interface RuleFindings {
  readonly problems: Finding[];
  readonly warnings: Finding[];
}

/** `config`: whatever the YAML says; what is not of the right shape is passed over, for the schema has named it. */
export function checkRules(config: unknown): RuleFindings {
  const findings: RuleFindings = { problems: [], warnings: [] };
  const { admin, clients, listen, routes, timeouts, trust } = fieldsOf(config);
  checkPorts({ listen: fieldsOf(listen), admin: fieldsOf(admin) }, findings);
  checkAnchors(fieldsOf(trust), findings);
  checkCallers(fieldsOf(clients), findings);
  checkRoutes({ routes: itemsOf(routes).map(fieldsOf), timeouts: fieldsOf(timeouts) }, findings);
  return findings;
}

/** Whether the allowlist, and whether the matches, of `clients` name a caller; pins are judged with the anchors. */
export function namesCaller(clients: Fields): { readonly byAddress: boolean; readonly byMatch: boolean } {
  return {
    byAddress: 'allowlist' in clients && !itemsOf(clients.allowlist).some(isEveryAddress),
    // Any one object of a list lets a caller in: one that names only the issuer undoes the others.
    byMatch: 'match' in clients && !itemsOf(clients.match).some(namesOnlyIssuer),
  };
}

/** Wrong values count as naming a caller here: their own problem stands already. */
function checkCallers(clients: Fields, { problems, warnings }: RuleFindings): void {
  const { byAddress, byMatch } = namesCaller(clients);
  const byCertificate = 'pins' in clients || byMatch;
  const allowed = `a match, pin or allowlist that names the caller, or anyCertificateOfAnchor: true. ${callerSentence}`;
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
    }, ${openToStrangers}`;
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validatePath } from '../../src/identity/path.ts';
import { type Issued, issueCertificate } from '../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const pki = authority({ now });
const parse = ({ der }: { der: Uint8Array }): Certificate => parseCertificate(der);

describe('any hierarchy of CAs', () => {
  interface Node {
    readonly certificate: Issued;
    readonly parent: number;
    readonly pathLength: number | undefined;
    readonly notBefore: number;
    readonly notAfter: number;
  }

  const node = fc.record({
    /** Modulo the number of earlier CAs: every CA is issued by an earlier one. */
    parent: fc.nat(),
    pathLength: fc.option(fc.nat({ max: 2 }), { nil: undefined, freq: 3 }),
    hoursBefore: fc.integer({ min: -1, max: 9 }),
    hoursAfter: fc.integer({ min: -1, max: 9 }),
    /** Whether the anchor holds it. */
    held: fc.boolean(),
  });

  function build(
    specs: readonly {
      parent: number;
      pathLength: number | undefined;
      hoursBefore: number;
      hoursAfter: number;
    }[],
  ) {
    const nodes: Node[] = [];
    for (const [index, { parent, pathLength, hoursBefore, hoursAfter }] of specs.entries()) {
      const above = index === 0 ? -1 : parent % index;
      const issuer = nodes[above]?.certificate;
      const notBefore = now - hoursBefore * hour;
      const notAfter = now + hoursAfter * hour;
      const certificate = issueCertificate({
        subject: { CN: `CA ${index}` },
        ...(issuer === undefined ? {} : { issuer }),
        notBefore,
        notAfter,
        keyUsage: ['keyCertSign'],
        basicConstraints: pathLength === undefined ? { ca: true } : { ca: true, pathLength },
      });
      nodes.push({ certificate, parent: above, pathLength, notBefore, notAfter });
    }
    return nodes;
  }

  it('allows a leaf exactly if the anchor holds every CA above it, all are in date, and path lengths allow the depth', () => {
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 6 }), fc.nat(), (specs, under) => {
        const nodes = build(specs);
        const chain: Node[] = [];
        for (let at = under % nodes.length; at >= 0; ) {
          const here = nodes[at] as Node;
          chain.push(here);
          at = here.parent;
        }
        const leaf = pki.issueClient({ issuer: (chain[0] as Node).certificate });
        // Every anchor holds its root.
        const held = nodes.filter((_, index) => index === 0 || specs[index]?.held);
        const complete =
          chain.every((each) => held.includes(each)) &&
          chain.every(({ pathLength }, below) => pathLength === undefined || below <= pathLength);
        const inTime = chain.every(({ notBefore, notAfter }) => now >= notBefore && now <= notAfter);

        const verdict = validatePath(parse(leaf), {
          anchors: [{ name: 'any', certificates: held.map(({ certificate }) => parse(certificate)) }],
          now,
        });
        expect(verdict.allow).toBe(complete && inTime);
        if (verdict.allow) {
          const subjects = verdict.permit.certificates.map(({ sha256 }) => sha256);
          expect(subjects).toEqual(
            [leaf, ...chain.map(({ certificate }) => certificate)].map((each) => parse(each).sha256),
          );
        } else {
          const reasons = complete ? ['expired', 'not_yet_valid'] : ['untrusted'];
          expect(reasons).toContain(verdict.reason);
        }
      }),
      { numRuns: 150 },
    );
  });
});

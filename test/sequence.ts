/**
 * The order of the test files: the longest begin first, so that no core waits for one of them at the end. A clean clone has
 * no times of an earlier run, from which vitest would find the order itself.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than ten seconds, the longest first. */
const longest: readonly string[] = [
  'conformance/openssl-fuzz.test.ts',
  'conformance/openssl-fuzz-2.test.ts',
  'conformance/openssl-fuzz-3.test.ts',
  'conformance/openssl-fuzz-4.test.ts',
  'gateway/audit-seals.test.ts',
  'gateway/at-most-once.test.ts',
  'gateway/relay-cut-responses.test.ts',
  'cli/doctor.test.ts',
  'cli/simulate.test.ts',
  'gateway/relay-silent-host.test.ts',
  'config/fuzz.test.ts',
  'doctor/faults.test.ts',
  'issuing/pkcs12/reader.test.ts',
  'gateway/relay-slow-writer.test.ts',
  'gateway/resumption-replicas.test.ts',
  'gateway/permit-withdrawn.test.ts',
  'cli/certs-p12.test.ts',
  'gateway/revocation-expired.test.ts',
  'gateway/upstream-at-most-once.test.ts',
  'gateway/reload.test.ts',
  'gateway/tracing-collector.test.ts',
  'gateway/revocation-last-good.test.ts',
  'simulation/simulation.test.ts',
  'cli/check.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex((file) => moduleId.endsWith(`/test/${file}`));
      return place < 0 ? longest.length : place;
    };
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

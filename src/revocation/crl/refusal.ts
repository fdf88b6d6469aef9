/** Thrown inside the reading of a CRL that cannot be used; what reads it turns it into a value. */
import type { CrlProblem } from './crl.ts';

export class CrlRefusal extends Error {
  readonly problem: CrlProblem;

  constructor(problem: CrlProblem, detail: string) {
    super(detail);
    this.problem = problem;
  }
}

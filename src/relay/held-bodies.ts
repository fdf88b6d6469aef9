/** Counts the memory of the bodies that one relay thread holds until their signature is checked. */

export class HeldBodies {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** False, and nothing is counted: they would exceed `limit`. */
  add(bytes: number, limit: number): boolean {
    if (this.#bytes + bytes > limit) return false;
    this.#bytes += bytes;
    return true;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}

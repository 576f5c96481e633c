/** Random choices that a seed repeats. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** @returns a number from 0 to below 1 (mulberry32) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns whether something of this probability happens */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** @returns a whole number, both limits included */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** @throws RangeError if there is nothing to pick from */
  pick<Choice>(choices: readonly Choice[]): Choice {
    const [picked] = choices.slice(this.between(0, choices.length - 1));
    if (picked === undefined) throw new RangeError('Nothing to pick from.');
    return picked;
  }

  /** @returns the same things in another order */
  shuffle<Thing>(things: readonly Thing[]): Thing[] {
    return things
      .map((thing) => ({ thing, place: this.next() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ thing }) => thing);
  }
}

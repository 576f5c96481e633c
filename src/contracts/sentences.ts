/** @returns a sentence to go on after: `No answer.; 4 attempts` would have two ends */
export const withoutStop = (text: string): string => text.trim().replace(/\.$/, '');

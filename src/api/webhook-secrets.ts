import { Problem } from './errors.ts';

/**
 * Verifies a webhook whose sender may use any of several secrets, because they are being rotated.
 * @param verify verifies it with one of them, and throws a Problem `invalid_signature` if that does not fit
 * @returns what the one that fits has given
 * @throws Problem `invalid_signature` if none fits
 */
export function verifyWithAny<Secret, Verified>(secrets: readonly Secret[], verify: (secret: Secret) => Verified): Verified {
  let refusal = new Problem('invalid_signature', 'There is no secret to verify it with.');
  for (const secret of secrets) {
    try {
      return verify(secret);
    } catch (error) {
      if (!(error instanceof Problem) || error.type !== 'invalid_signature') throw error;
      refusal = error;
    }
  }
  throw refusal;
}

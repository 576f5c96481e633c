import type { Context, Hono } from 'hono';
import { id as idField } from '../../contracts/fields.ts';
import { RequestError } from '../../contracts/request-error.ts';
import { verificationPath } from '../../customer-links.ts';
import { verifySignup } from '../../intake/signups.ts';
import { readVerification } from '../../queries/signups.ts';
import type { ApiEnv, Dependencies } from '../environment.ts';
import { page } from './layout.tsx';
import { wrongLink } from './wrong-link.ts';

const PATH = '/signups/:id/:token';

/**
 * Where the link in a verification email leads. It only shows a button: mail programs open links by themselves, and must not
 * verify an address by that.
 */
export function signupPage(app: Hono<ApiEnv>, { db, limits }: Dependencies): void {
  app.get(PATH, async (c) => {
    const { signupId, token, status } = await readSignup(c);
    if (status === 'expired' || status === 'ended') {
      return page(c, { title: 'This signup has ended', children: <p>Sign up again to get a new link.</p> }, 409);
    }
    if (status !== 'pending_verification') {
      return page(c, { title: 'Your address is verified', children: <p>Thank you. You can close this page.</p> });
    }
    return page(c, {
      title: 'Verify your address',
      children: (
        <form method="post" action={verificationPath(signupId, token)}>
          <p>Press the button to finish your signup.</p>
          <button type="submit">Verify my address</button>
        </form>
      ),
    });
  });

  app.post(PATH, async (c) => {
    const { signupId, token } = await readSignup(c);
    // Pressed twice, or too late, it does nothing: the page says how the signup stands.
    await verifySignup(db, signupId, token).catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
    });
    return c.redirect(verificationPath(signupId, token), 303);
  });

  /** @throws Problem unless the token is right, or when the link is used too often */
  async function readSignup(c: Context<ApiEnv>) {
    const link = readLink(c);
    const status = await readVerification(db, link.signupId, link.token);
    if (!status) throw wrongLink();
    await limits.admit(c, `link:${link.signupId}`);
    return { ...link, status };
  }
}

function readLink(c: Context<ApiEnv>): { signupId: string; token: string } {
  const { data: signupId } = idField.safeParse(c.req.param('id'));
  const token = c.req.param('token');
  if (signupId === undefined || token === undefined) throw wrongLink();
  return { signupId, token };
}

import { request } from 'node:http';

/** Sends a GET to a server under another name than that of its address, as a browser does whose DNS was rebound. @returns the status */
export const statusAs = (host: string, url: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once('error', reject);
    sent.end();
  });

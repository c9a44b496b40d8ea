// The OAuth server of the tests. Reads its settings as JSON from its first argument; says one line of JSON when ready.
//
// settings: library (folder of node_modules), port, clients ({id: {kind: opaque | jwt, padding: octets}}), secret (of
// the mail server's own client), domain (of every mailbox).
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

// Node.js 18, which Debian 12 has, lacks these two.
globalThis.crypto ??= webcrypto;
URL.parse ??= (address, base) => {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
};

const settings = JSON.parse(process.argv[2]);
const entry = pathToFileURL(`${settings.library}/oidc-provider/lib/index.js`);
const { default: Provider } = await import(entry);

const issuer = `http://127.0.0.1:${settings.port}`;
const resource = 'urn:example:mail';
const keyId = 'tests';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const kindOf = (client) => settings.clients[client.clientId]?.kind;
const paddingOf = (client) => 'x'.repeat(settings.clients[client.clientId]?.padding ?? 0);
const mailbox = (login) => (login.includes('@') ? login : `${login}@${settings.domain}`);
const page = (form) => `<!DOCTYPE html><title>Sign in</title>${form}`;

const provider = new Provider(issuer, {
  clients: [
    ...Object.keys(settings.clients).map((id) => ({
      client_id: id,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/', 'http://localhost/callback', 'http://localhost/'],
    })),
    { client_id: 'dovecot', client_secret: settings.secret, grant_types: [], response_types: [], redirect_uris: [] },
  ],
  scopes: ['openid', 'offline_access', 'smtp'],
  claims: { openid: ['sub'], email: ['email'] },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: keyId }] },
  cookies: { keys: ['only for tests'] },
  findAccount: (ctx, login) => ({ accountId: login, claims: () => ({ sub: login, email: mailbox(login) }) }),
  issueRefreshToken: (ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, Session: 3600, Interaction: 600, DeviceCode: 600 },
  extraTokenClaims: (ctx, token) => ({
    email: mailbox(token.accountId),
    username: mailbox(token.accountId),
    ...(token.aud && paddingOf(ctx.oidc.client) && { padding: paddingOf(ctx.oidc.client) }),
  }),
  features: {
    devInteractions: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form) => {
        ctx.body = page(form);
      },
      userCodeConfirmSource: (ctx, form) => {
        ctx.body = page(form);
      },
      successSource: (ctx) => {
        ctx.body = page('<p>Done. The device can go on.</p>');
      },
    },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client) => (kindOf(client) === 'jwt' ? resource : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'smtp',
        audience: resource,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  formats: {
    customizers: {
      // Dovecot 2.3 takes no other type.
      jwt: (ctx, token, parts) => {
        parts.header = { typ: 'JWT' };
      },
    },
  },
});

createServer(provider.callback()).listen(settings.port, '127.0.0.1', () => {
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  console.log(JSON.stringify({ issuer, keyId, publicKey: pem }));
});

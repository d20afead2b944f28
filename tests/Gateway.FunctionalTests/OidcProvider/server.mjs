// A certified OpenID provider (oidc-provider) as the authorization server of a test. It takes its settings as one JSON argument:
// { module, port, path, format, certificate, privateKey, jwks, clientId, clientSecret, audience }, and prints READY once it listens.
import { createServer } from 'node:https';

const settings = JSON.parse(process.argv[2]);
const { Provider } = await import(settings.module);
const issuer = `https://localhost:${settings.port}${settings.path}`;

const provider = new Provider(issuer, {
  jwks: settings.jwks,
  clients: [
    {
      client_id: settings.clientId,
      client_secret: settings.clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid billing.read',
    },
  ],
  scopes: ['openid', 'billing.read'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    // A JWT for one API, as PrestaShop's server issues it: the API is this provider's default resource.
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:billing',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'openid billing.read',
        audience: settings.audience,
        accessTokenFormat: settings.format,
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.on('server_error', (_, error) => console.log(`ERROR ${error.stack}`));
provider.on('grant.error', (_, error) => console.log(`GRANT ERROR ${error.error} ${error.error_detail ?? ''}`));

const answer = provider.callback();

// Mounted below the issuer's path, and nowhere else.
function mounted(request, response) {
  if (!request.url.startsWith(`${settings.path}/`)) {
    response.writeHead(404).end();
    return;
  }

  request.originalUrl = request.url;
  request.url = request.url.slice(settings.path.length);
  answer(request, response);
}

createServer({ cert: settings.certificate, key: settings.privateKey }, settings.path ? mounted : answer)
  .listen(settings.port, '127.0.0.1', () => console.log('READY'));

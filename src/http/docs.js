// Starts the documents page. A sign-in is valid for all definitions while the page is open.
window.onload = function () {
  // persistAuthorization keeps the sign-in when the user selects another definition. It would also write the sign-in,
  // including the secret, to localStorage, where the next user of the browser could read it.
  const inMemoryOnly = () => ({
    statePlugins: { auth: { wrapActions: { persistAuthorizationIfNeeded: () => () => {} } } },
  });
  // If a response has the status 401 and `WWW-Authenticate: Basic`, as for a wrong secret, the browser opens a dialog
  // for name and password before the page gets the response. It does not if the request omits credentials.
  const withoutDialog = (request) => {
    if (request.url.endsWith('/oauth/token')) request.credentials = 'omit';
    return request;
  };
  window.ui = SwaggerUIBundle({
    dom_id: '#swagger-ui',
    urls: {{urls}},
    layout: 'StandaloneLayout',
    deepLinking: true,
    persistAuthorization: true,
    requestInterceptor: withoutDialog,
    // Prevents requests to a public validator.
    validatorUrl: 'none',
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl, inMemoryOnly],
  });
};

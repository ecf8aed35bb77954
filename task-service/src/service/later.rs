//! Stands in for methods that are being written.

macro_rules! later {
    ($($function:ident $request:ident $response:ident)*) => {
        impl Service {$(
            pub(super) async fn $function(
                &self,
                _caller: Identity,
                _request: pb::$request,
            ) -> Result<Answer<pb::$response>, Failure> {
                Err(Failure::new(Reason::MethodUnknown, "Not yet."))
            }
        )*}
    };
}
pub(super) use later;
